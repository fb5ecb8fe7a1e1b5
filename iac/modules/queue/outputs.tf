output "arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.this.arn
}

output "url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.this.url
}

output "dead_letters_arn" {
  description = "ARN of where messages of this queue rest that nobody could handle; its own without such a queue."
  value       = local.has_dead_letters ? aws_sqs_queue.dead_letters[0].arn : aws_sqs_queue.this.arn
}
