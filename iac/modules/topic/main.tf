resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = var.kms_key_id
}

resource "aws_sns_topic_subscription" "queue" {
  for_each = var.subscriptions

  topic_arn            = aws_sns_topic.this.arn
  protocol             = "sqs"
  endpoint             = var.queue_arns[each.key]
  raw_message_delivery = true
  filter_policy        = jsonencode(each.value)
}
