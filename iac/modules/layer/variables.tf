variable "name" {
  description = "Prefix of the layer's and the bucket's name."
  type        = string
}

variable "package" {
  description = "Path of the zip with the libraries, under python/."
  type        = string

  validation {
    condition     = fileexists(var.package)
    error_message = "There is no such zip: build it first (README.md of this root)."
  }
}

variable "runtimes" {
  description = "Lambda runtimes the libraries were built for, e.g. python3.12."
  type        = list(string)

  validation {
    condition     = length(var.runtimes) >= 1 && alltrue([for runtime in var.runtimes : startswith(runtime, "python3.")])
    error_message = "Name at least one runtime python3.x."
  }
}
