variable "name" {
  description = "Full name of the alarm."
  type        = string

  validation {
    condition     = length(var.name) > 0 && length(var.name) <= 255
    error_message = "An alarm's name has 1 to 255 characters."
  }
}

variable "summary" {
  description = "What is wrong when it goes off, in a sentence."
  type        = string
}

variable "dimensions" {
  description = "The one series of the metric that is watched."
  type        = map(string)
}

variable "threshold" {
  description = "The value at which it goes off, in the metric's unit."
  type        = number
}

variable "declared" {
  description = "Its entry in topology/alarms.json."
  type = object({
    metric    = string
    statistic = string
    compare   = string
    period_s  = number
    periods   = number
    needed    = number
    missing   = string
  })

  validation {
    condition     = var.declared.needed <= var.declared.periods && var.declared.period_s % 60 == 0
    error_message = "Needed values are at most the periods, and a period is whole minutes."
  }
}

variable "action_arns" {
  description = "Topics that are told when it goes off and when it is over."
  type        = list(string)
}
