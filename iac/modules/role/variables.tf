variable "name" {
  description = "Full name of the role."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "A role's name has at most 64 letters, digits, dashes or underscores."
  }
}

variable "purpose" {
  description = "What who takes it on is about to do, for people who read the account."
  type        = string
}

variable "trusted_arns" {
  description = "Who may take it on: users or roles, or an account's root for whom that account lets."
  type        = list(string)

  validation {
    condition     = length(var.trusted_arns) > 0
    error_message = "A role that nobody may take on is of no use."
  }
}

variable "grants" {
  description = "The grants of an entry of iac/topology/roles.json: kind -> short name -> verbs."
  type        = map(map(list(string)))
}

variable "arns" {
  description = "Short name -> ARN of everything that may be granted; a catalog has several."
  type = object({
    tables        = map(string)
    table_streams = map(string)
    streams       = map(string)
    topics        = map(string)
    queues        = map(string)
    dead_letters  = optional(map(string), {})
    buckets       = map(string)
    catalogs      = map(list(string))
    secrets       = map(string)
    functions     = optional(map(string), {})
  })
}
