# Messages are not encrypted at rest with a key of our own: SNS keeps them only while it delivers
# them, and a key would have to be shared with every queue.
resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = var.kms_key_id
}
