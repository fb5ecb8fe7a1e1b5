variable "name" {
  description = "Full name of the topic."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,256}$", var.name))
    error_message = "A topic's name has at most 256 letters, digits, dashes or underscores."
  }
}

variable "kms_key_id" {
  description = "Key that encrypts messages at rest; every subscribed queue then needs it too."
  type        = string
  default     = null
}
