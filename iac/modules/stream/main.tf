resource "aws_kinesis_stream" "this" {
  name             = var.name
  shard_count      = var.declared.shards
  retention_period = var.declared.retention_hours
  encryption_type  = var.kms_key_id == null ? "NONE" : "KMS"
  kms_key_id       = var.kms_key_id

  stream_mode_details {
    stream_mode = "PROVISIONED"
  }

  lifecycle {
    prevent_destroy = true
  }
}
