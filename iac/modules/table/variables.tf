variable "name" {
  description = "Full name of the table."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "A table's name has 3 to 255 letters, digits, dots, dashes or underscores."
  }
}

variable "declared" {
  description = "One entry of iac/topology/tables.json: keys, attributes, indexes, stream view, expiry attribute."
  type = object({
    hash_key   = string
    range_key  = optional(string)
    attributes = map(string)
    indexes = map(object({
      hash_key   = string
      range_key  = optional(string)
      projection = string
    }))
    stream = optional(string)
    ttl    = optional(string)
  })

  validation {
    condition     = alltrue([for kind in values(var.declared.attributes) : contains(["S", "N", "B"], kind)])
    error_message = "The type of a key attribute is S, N or B."
  }

  validation {
    condition = var.declared.stream == null ? true : contains(
      ["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"], var.declared.stream
    )
    error_message = "stream is NEW_AND_OLD_IMAGES, NEW_IMAGE, OLD_IMAGE, KEYS_ONLY or null."
  }

  validation {
    condition = alltrue([
      for index in values(var.declared.indexes) : contains(["ALL", "KEYS_ONLY"], index.projection)
    ])
    error_message = "The projection of an index is ALL or KEYS_ONLY."
  }
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days (billed by size)."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether AWS itself refuses to delete the table."
  type        = bool
  default     = true
}
