# What a person takes on for one job, e.g. to redrive dead letters: the rights of that job, no others.

resource "aws_iam_role" "this" {
  name        = var.name
  description = var.purpose

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = var.trusted_arns }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "granted"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in var.statements : {
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
