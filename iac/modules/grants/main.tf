# Grants, as iac/topology/ words them, as statements of a policy: no action is a pattern.

locals {
  actions = {
    tables = {
      read  = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"]
      write = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]
      scan  = ["dynamodb:Scan"]
      index = ["dynamodb:BatchWriteItem"] # the search index of kept traces
    }
    table_streams = { read = ["dynamodb:GetShardIterator", "dynamodb:GetRecords"] }
    streams = {
      read  = ["kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords"]
      write = ["kinesis:PutRecord", "kinesis:PutRecords"]
    }
    topics = { publish = ["sns:Publish"] }
    queues = { send = ["sqs:SendMessage", "sqs:GetQueueUrl"] }
    dead_letters = {
      move = [
        "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
      ]
    }
    functions = { invoke = ["lambda:InvokeFunction"] }
    secrets   = { read = ["secretsmanager:GetSecretValue"] }
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
}
