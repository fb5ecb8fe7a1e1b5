variable "name" {
  description = "Full name of the schedule."
  type        = string
}

variable "expression" {
  description = "When it runs, in UTC: rate(...), cron(...) or at(...)."
  type        = string

  validation {
    condition     = can(regex("^(rate|cron|at)\\(.+\\)$", var.expression))
    error_message = "A schedule is rate(...), cron(...) or at(...)."
  }
}

variable "function_arn" {
  description = "ARN of the function that is invoked."
  type        = string
}

variable "input" {
  description = "The event the function gets."
  type        = any
  default     = {}
}
