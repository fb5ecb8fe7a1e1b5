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

variable "statements" {
  description = "What is granted, from the module grants: {actions, resources} of each thing."
  type = list(object({
    actions   = list(string)
    resources = list(string)
  }))
}
