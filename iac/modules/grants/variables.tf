variable "grants" {
  description = "Kind -> short name -> verbs, e.g. tables -> ops -> [read, write]."
  type        = map(map(list(string)))

  validation {
    condition = alltrue([
      for kind in keys(var.grants) : contains([
        "tables", "table_streams", "streams", "topics", "queues", "dead_letters", "buckets",
        "catalogs", "secrets", "functions",
      ], kind)
    ])
    error_message = "Grants are on tables and their streams, streams, topics, queues, dead letters, buckets, catalogs, secrets or functions."
  }
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
