variable "name" {
  description = "Full name of the topic."
  type        = string
}

variable "subscriptions" {
  description = "Short name of a queue -> filter policy on the message's attributes, as SNS writes it."
  type        = any

  validation {
    condition     = alltrue([for policy in values(var.subscriptions) : length(policy) > 0])
    error_message = "A subscription without a filter would get every event: name the ones it is for."
  }
}

variable "queue_arns" {
  description = "Short name of a queue -> its ARN, for every queue that subscribes."
  type        = map(string)
}

variable "kms_key_id" {
  description = "Key that encrypts messages at rest; null leaves them to SNS, which keeps them only while it delivers."
  type        = string
  default     = null
}
