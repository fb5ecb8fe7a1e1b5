resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = "The pipeline's ${var.short_name}."
  role             = aws_iam_role.this.arn
  handler          = var.declared.handler
  runtime          = var.declared.runtime
  timeout          = var.declared.timeout_s
  memory_size      = var.declared.memory_mb
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  layers           = var.layer_arns

  environment {
    variables = merge(var.environment, { HAS_SERVICE = var.short_name })
  }

  logging_config {
    log_format = "Text" # the code prints JSON itself
    log_group  = aws_cloudwatch_log_group.this.name
  }
}

# Made here, before the function's first line would make one that keeps everything for ever.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_d
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = var.mappings

  function_name                      = aws_lambda_function.this.arn
  event_source_arn                   = local.source_arns[each.key]
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.window_s
  starting_position                  = each.value.starting_position
  function_response_types            = each.value.reports_failures ? ["ReportBatchItemFailures"] : []
  bisect_batch_on_function_error     = each.value.bisects
  maximum_retry_attempts             = each.value.max_attempts
  maximum_record_age_in_seconds      = each.value.max_record_age_s

  dynamic "filter_criteria" {
    for_each = length(each.value.filter_patterns) == 0 ? [] : [each.value.filter_patterns]
    content {
      dynamic "filter" {
        for_each = filter_criteria.value
        content {
          pattern = filter.value
        }
      }
    }
  }

  dynamic "scaling_config" {
    for_each = each.value.max_concurrency == null ? [] : [each.value.max_concurrency]
    content {
      maximum_concurrency = scaling_config.value
    }
  }

  dynamic "destination_config" {
    for_each = each.value.on_failure == null ? [] : [each.value.on_failure]
    content {
      on_failure {
        destination_arn = var.arns.queues[destination_config.value]
      }
    }
  }

  # AWS tries the role when the mapping is made, and refuses one that may not read the source.
  depends_on = [aws_iam_role_policy.this]
}
