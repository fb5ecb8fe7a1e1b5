locals {
  has_dead_letters = var.declared.max_receives != null
  resting_place    = local.has_dead_letters ? "${var.name}-dlq" : var.name
  arn = join(":", [
    "arn", data.aws_partition.current.partition, "sqs", data.aws_region.current.name,
    data.aws_caller_identity.current.account_id, var.name,
  ])
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = var.declared.visibility_timeout_s
  message_retention_seconds  = var.declared.retention_s
  delay_seconds              = var.declared.delay_s
  sqs_managed_sse_enabled    = true

  redrive_policy = local.has_dead_letters ? jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[0].arn
    maxReceiveCount     = var.declared.max_receives
  }) : null

  # The policy is part of the queue, not a resource of its own: each such resource makes the
  # provider wait another half minute for SQS to agree with itself.
  policy = length(var.subscriptions) == 0 ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [
      for topic, subscription in var.subscriptions : {
        Sid       = "topic"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.arn
        Condition = { ArnEquals = { "aws:SourceArn" = subscription.topic_arn } }
      }
    ]
  })
}

resource "aws_sns_topic_subscription" "this" {
  for_each = var.subscriptions

  topic_arn            = each.value.topic_arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.this.arn
  raw_message_delivery = true
  filter_policy        = each.value.filter_policy
}

# Not for_each: there is one or none, and its name says whose it is.
resource "aws_sqs_queue" "dead_letters" {
  count = local.has_dead_letters ? 1 : 0

  name                      = "${var.name}-dlq"
  message_retention_seconds = 1209600 # the longest SQS allows: two weeks to look at a failure
  sqs_managed_sse_enabled   = true
}

# What lies in a queue that nobody reads has failed; it has to be looked at before it expires.
resource "aws_cloudwatch_metric_alarm" "failed_messages" {
  alarm_name          = "${var.name}-failed-messages"
  alarm_description   = "Messages lie in ${local.resting_place}: look at them on the DLQ desk, then redrive."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = local.resting_place }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_action_arns
}
