variable "name" {
  description = "Full name of the queue; its dead-letter queue is called <name>-dlq."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,76}$", var.name))
    error_message = "A queue's name has at most 76 letters, digits, dashes or underscores (80 with -dlq)."
  }
}

variable "declared" {
  description = "One entry of iac/topology/queues.json; max_receives null means a queue without dead letters, itself a last resort."
  type = object({
    visibility_timeout_s = number
    retention_s          = number
    max_receives         = optional(number)
    delay_s              = number
  })

  validation {
    condition     = var.declared.delay_s >= 0 && var.declared.delay_s <= 900
    error_message = "delay_s is between 0 and 900 (15 minutes)."
  }

  validation {
    condition     = var.declared.visibility_timeout_s >= 1 && var.declared.visibility_timeout_s <= 43200
    error_message = "visibility_timeout_s is between 1 and 43200 (12 hours)."
  }

  validation {
    condition     = var.declared.retention_s >= 3600 && var.declared.retention_s <= 1209600
    error_message = "retention_s is between 3600 (an hour) and 1209600 (14 days)."
  }

  validation {
    condition = (
      var.declared.max_receives == null ? true :
      var.declared.max_receives >= 1 && var.declared.max_receives <= 1000
    )
    error_message = "max_receives is between 1 and 1000, or null."
  }
}

variable "subscriptions" {
  description = "Short name of a topic -> its ARN and the filter policy (JSON) on its messages' attributes."
  type = map(object({
    topic_arn     = string
    filter_policy = string
  }))
  default = {}

  validation {
    condition = alltrue([
      for subscription in values(var.subscriptions) : length(jsondecode(subscription.filter_policy)) > 0
    ])
    error_message = "A subscription without a filter would get every event: name the ones it is for."
  }
}

variable "alarm_action_arns" {
  description = "Who is told when messages have failed, e.g. an SNS topic."
  type        = list(string)
  default     = []
}
