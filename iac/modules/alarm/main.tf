resource "aws_cloudwatch_metric_alarm" "this" {
  alarm_name          = var.name
  alarm_description   = var.summary
  namespace           = "HighAvailabilityShop"
  metric_name         = var.declared.metric
  dimensions          = var.dimensions
  statistic           = var.declared.statistic
  period              = var.declared.period_s
  evaluation_periods  = var.declared.periods
  datapoints_to_alarm = var.declared.needed
  comparison_operator = var.declared.compare
  threshold           = var.threshold
  treat_missing_data  = var.declared.missing
  alarm_actions       = var.action_arns
  ok_actions          = var.action_arns
}
