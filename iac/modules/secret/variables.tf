variable "name" {
  description = "Full name of the secret."
  type        = string
}

variable "purpose" {
  description = "What the secret is for and who reads it."
  type        = string
}

variable "recovery_window_d" {
  description = "Days during which a deleted secret can be brought back."
  type        = number
  default     = 7

  validation {
    condition     = var.recovery_window_d >= 7 && var.recovery_window_d <= 30
    error_message = "recovery_window_d is between 7 and 30."
  }
}
