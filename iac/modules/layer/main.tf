# A layer beyond 50 MB has to come from S3, hence a bucket; what lies in it can be built again.
resource "aws_s3_bucket" "this" {
  bucket        = "${var.name}-code"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Named after its content: a new package is a new object, and the running version keeps its own.
resource "aws_s3_object" "this" {
  bucket = aws_s3_bucket.this.id
  key    = "libraries/${filesha256(var.package)}.zip"
  source = var.package
}

resource "aws_lambda_layer_version" "this" {
  layer_name               = "${var.name}-libraries"
  description              = "What the pipeline imports."
  s3_bucket                = aws_s3_object.this.bucket
  s3_key                   = aws_s3_object.this.key
  source_code_hash         = filebase64sha256(var.package)
  compatible_runtimes      = var.runtimes
  compatible_architectures = ["x86_64"]
}
