# Region, credentials and endpoint are the provider's own environment variables (AWS_REGION,
# AWS_PROFILE, AWS_ENDPOINT_URL): nothing here knows whether it talks to AWS or to the emulator.
provider "aws" {
  skip_credentials_validation = var.emulated
  skip_metadata_api_check     = var.emulated
  s3_use_path_style           = var.emulated

  default_tags {
    tags = {
      project     = "high-availability-shop"
      component   = "pipeline"
      stage       = var.stage
      owner       = var.owner
      cost-centre = var.cost_centre
    }
  }
}
