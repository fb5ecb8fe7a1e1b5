resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.declared.hash_key
  range_key                   = var.declared.range_key
  stream_enabled              = var.declared.stream != null
  stream_view_type            = var.declared.stream
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = var.declared.attributes
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.declared.indexes
    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash_key
      range_key       = global_secondary_index.value.range_key
      projection_type = global_secondary_index.value.projection
    }
  }

  # Without an attribute the block has to be absent: `enabled = false` is a change AWS refuses to
  # make twice within an hour.
  dynamic "ttl" {
    for_each = var.declared.ttl == null ? [] : [var.declared.ttl]
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled = false # the key that AWS owns: encrypted all the same, and free
  }

  lifecycle {
    prevent_destroy = true
  }
}
