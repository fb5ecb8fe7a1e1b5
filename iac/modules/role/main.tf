# What a person takes on for one job, e.g. to redrive dead letters: the rights of that job, no others.

module "granted" {
  source = "../grants"

  grants = var.grants
  arns   = var.arns
}

locals {
  # Which filters a function's mapping has; AWS knows no resource for the question.
  asking = contains(keys(var.grants), "functions") ? [{
    actions   = ["lambda:ListEventSourceMappings"]
    resources = ["*"]
  }] : []
}

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
      for statement in concat(module.granted.statements, local.asking) : {
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
