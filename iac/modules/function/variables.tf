variable "name" {
  description = "Full name of the function, and of its role."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "A function's name has at most 64 letters, digits, dashes or underscores."
  }
}

variable "short_name" {
  description = "Name within the topology; the code finds it in HAS_SERVICE."
  type        = string
}

variable "declared" {
  description = "One entry of iac/topology/functions.json."
  type = object({
    handler   = string
    runtime   = string
    timeout_s = number
    memory_mb = number
  })

  validation {
    condition     = var.declared.timeout_s >= 1 && var.declared.timeout_s <= 900
    error_message = "timeout_s is between 1 and 900."
  }

  validation {
    condition     = var.declared.memory_mb >= 128 && var.declared.memory_mb <= 10240
    error_message = "memory_mb is between 128 and 10240."
  }
}

variable "mappings" {
  description = "The entries of iac/topology/mappings.json that feed this function; filter_patterns are their filters as JSON."
  type = map(object({
    source = object({
      table  = optional(string)
      stream = optional(string)
      queue  = optional(string)
    })
    batch_size        = number
    window_s          = number
    max_concurrency   = optional(number)
    starting_position = optional(string)
    reports_failures  = bool
    filter_patterns   = list(string)
    bisects           = optional(bool)
    max_attempts      = optional(number)
    max_record_age_s  = optional(number)
    on_failure        = optional(string)
  }))
  default = {}

  validation {
    condition = alltrue([
      for mapping in values(var.mappings) :
      length([for name in values(mapping.source) : name if name != null]) == 1
    ])
    error_message = "A mapping reads exactly one of a table, a stream or a queue."
  }

  # Without a bound and a place to go, one bad record holds its shard until it expires.
  validation {
    condition = alltrue([
      for mapping in values(var.mappings) : mapping.source.queue != null || (
        mapping.max_attempts != null && mapping.max_record_age_s != null && mapping.on_failure != null
      )
    ])
    error_message = "A mapping on a stream needs max_attempts, max_record_age_s and on_failure."
  }
}

variable "statements" {
  description = "What is granted, from the module grants: {actions, resources} of each thing."
  type = list(object({
    actions   = list(string)
    resources = list(string)
  }))
}

variable "arns" {
  description = "Short name -> ARN of what may feed a function, and of the queues for what it gave up."
  type = object({
    table_streams = map(string)
    streams       = map(string)
    queues        = map(string)
  })
}

variable "package" {
  description = "Path of the zip with the code."
  type        = string

  validation {
    condition     = fileexists(var.package)
    error_message = "There is no such zip: build it first (README.md of this root)."
  }
}

variable "layer_arns" {
  description = "Layers with what the code imports and Lambda does not bring."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.layer_arns) <= 5
    error_message = "Lambda takes at most 5 layers."
  }
}

variable "environment" {
  description = "Environment that every function gets."
  type        = map(string)
  default     = {}
}

variable "log_retention_d" {
  description = "Days the log is kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_d)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365 days."
  }
}
