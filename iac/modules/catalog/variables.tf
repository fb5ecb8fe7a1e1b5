variable "name" {
  description = "Name of the Glue database; Athena wants letters, digits and underscores."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9_]{1,252}$", var.name))
    error_message = "A database's name has lower-case letters, digits and underscores."
  }
}
