# The role of one function: what it is granted in iac/topology/grants.json, what reading its
# sources takes, and its own log. Nothing is shared between functions, and no action is a pattern.

locals {
  actions = {
    tables = {
      read  = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"]
      write = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]
      index = ["dynamodb:BatchWriteItem"] # the search index of kept traces
    }
    streams = {
      read  = ["kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords"]
      write = ["kinesis:PutRecord", "kinesis:PutRecords"]
    }
    topics  = { publish = ["sns:Publish"] }
    queues  = { send = ["sqs:SendMessage", "sqs:GetQueueUrl"] }
    secrets = { read = ["secretsmanager:GetSecretValue"] }
    buckets = {
      read  = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"]
      write = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    }
    catalogs = {
      read = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions"]
      write = [
        "glue:CreateDatabase", "glue:CreateTable", "glue:UpdateTable", "glue:BatchCreatePartition",
        "glue:CreatePartition", "glue:UpdatePartition", "glue:BatchDeletePartition",
      ]
    }
  }

  # Objects lie under the bucket, and indexes under the table, each with an ARN of its own.
  below = { tables = ["", "/index/*"], buckets = ["", "/*"] }

  granted = flatten([
    for kind, names in var.grants : [
      for name, verbs in names : {
        actions = distinct(flatten([for verb in verbs : local.actions[kind][verb]]))
        resources = flatten(kind == "catalogs" ? [var.arns.catalogs[name]] : [[
          for suffix in lookup(local.below, kind, [""]) : "${var.arns[kind][name]}${suffix}"
        ]])
      }
    ]
  ])

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
      for statement in concat(local.granted, local.reading, local.giving_up, local.logging, local.signals) : {
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
