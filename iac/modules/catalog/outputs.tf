output "name" {
  description = "Name of the database."
  value       = aws_glue_catalog_database.this.name
}

output "arns" {
  description = "What Glue checks for a call on a table: the account's catalogue, the database and its tables."
  value = [
    "${local.prefix}:catalog",
    aws_glue_catalog_database.this.arn,
    "${local.prefix}:table/${aws_glue_catalog_database.this.name}/*",
  ]
}
