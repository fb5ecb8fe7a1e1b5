locals {
  prefix = join(":", [
    "arn", data.aws_partition.current.partition, "glue", data.aws_region.current.name,
    data.aws_caller_identity.current.account_id,
  ])
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

resource "aws_glue_catalog_database" "this" {
  name        = var.name
  description = "The lake"
}
