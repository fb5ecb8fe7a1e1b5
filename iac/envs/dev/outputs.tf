output "function_arns" {
  description = "Short name -> ARN of each function."
  value       = { for name, function in module.function : name => function.arn }
}

output "queue_urls" {
  description = "Short name -> URL of each queue."
  value       = { for name, queue in module.queue : name => queue.url }
}

output "secrets_without_value" {
  description = "Secrets that exist by name only: put a value before the services start."
  value       = [for name in keys(module.secret) : "${local.prefix}-${name}"]
}

output "operator_role_arns" {
  description = "Job -> ARN of the role that a person takes on for it."
  value       = { for name, role in module.role : name => role.arn }
}
