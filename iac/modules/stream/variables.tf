variable "name" {
  description = "Full name of the stream."
  type        = string
}

variable "declared" {
  description = "One entry of iac/topology/streams.json: shards, and how long records are kept."
  type = object({
    shards          = number
    retention_hours = number
  })

  validation {
    condition     = var.declared.shards >= 1 && var.declared.shards <= 20
    error_message = "shards is between 1 and 20; each is paid for by the hour."
  }

  validation {
    condition     = var.declared.retention_hours >= 24 && var.declared.retention_hours <= 168
    error_message = "retention_hours is between 24 and 168; beyond a week every gigabyte is billed."
  }
}

variable "kms_key_id" {
  description = "Key that encrypts the records; alias/aws/kinesis costs nothing by itself, calls to it do."
  type        = string
  default     = "alias/aws/kinesis"
}
