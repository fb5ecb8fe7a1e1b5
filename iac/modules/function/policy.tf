# The role of one function: what it is granted in iac/topology/grants.json, what reading its
# sources takes, and its own log. Nothing is shared between functions, and no action is a pattern.

locals {
  source_arns = {
    for name, mapping in var.mappings : name => (
      mapping.source.table != null ? var.arns.table_streams[mapping.source.table] :
      mapping.source.stream != null ? var.arns.streams[mapping.source.stream] :
      var.arns.queues[mapping.source.queue]
    )
  }

  reading = [
    for name, mapping in var.mappings : {
      actions = (
        mapping.source.table != null ? [
          "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
        ] :
        mapping.source.stream != null ? [
          "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
          "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard",
        ] :
        [
          "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
          "sqs:ChangeMessageVisibility",
        ]
      )
      resources = [local.source_arns[name]]
    }
  ]

  giving_up = [
    for queue in toset([for mapping in values(var.mappings) : mapping.on_failure if mapping.on_failure != null]) : {
      actions   = ["sqs:SendMessage"]
      resources = [var.arns.queues[queue]]
    }
  ]

  logging = [{
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }]

  # Neither metrics nor segments have a resource that could be named.
  signals = [{
    actions   = ["cloudwatch:PutMetricData", "xray:PutTraceSegments"]
    resources = ["*"]
  }]
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = "What ${var.name} may do."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "granted"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in concat(var.statements, local.reading, local.giving_up, local.logging, local.signals) : {
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
