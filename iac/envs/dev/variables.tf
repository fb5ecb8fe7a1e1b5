variable "stage" {
  description = "Which copy of the shop; part of every name. `local` is the emulator's."
  type        = string
  default     = "dev"

  validation {
    condition     = contains(["dev", "local"], var.stage)
    error_message = "This root is for the stage dev, or local on an emulator."
  }

  validation {
    condition     = (var.stage == "local") == var.emulated
    error_message = "The stage local and the emulator go together: neither is for AWS."
  }
}

variable "emulated" {
  description = "Whether AWS_ENDPOINT_URL points to an emulator: leaves out checks only AWS can answer."
  type        = bool
  default     = false
}

variable "function_package" {
  description = "Path of the zip with the pipeline's code; README.md says how it is built."
  type        = string
}

variable "library_package" {
  description = "Path of the zip with the libraries the functions import; null only on an emulator, which has them."
  type        = string
  default     = null

  validation {
    condition     = var.library_package != null || var.emulated
    error_message = "On AWS the functions need their libraries: build the zip first (README.md)."
  }
}

variable "function_environment" {
  description = "What the functions find in their environment besides the stage and the currency."
  type        = map(string)
  default     = {}
}

variable "payment_gateway_url" {
  description = "Where the card gateway answers. AWS has none: it is a company's, or the simulated one wherever it runs."
  type        = string
  default     = "http://127.0.0.1:8301"

  validation {
    condition     = var.emulated || startswith(var.payment_gateway_url, "https://")
    error_message = "On AWS the card gateway is reached by https."
  }
}

variable "currency" {
  description = "The one currency the shop sells in, ISO 4217."
  type        = string
  default     = "GBP"

  validation {
    condition     = can(regex("^[A-Z]{3}$", var.currency))
    error_message = "A currency is three capital letters, e.g. GBP."
  }
}

variable "log_retention_d" {
  description = "Days that logs are kept."
  type        = number
  default     = 14
}

variable "owner" {
  description = "Who answers for these resources; a tag."
  type        = string
  default     = "shop"
}

variable "cost_centre" {
  description = "Who pays for these resources; a tag."
  type        = string
  default     = "shop-dev"
}

variable "alarm_action_arns" {
  description = "Who is told when messages have failed, e.g. an SNS topic with an e-mail address."
  type        = list(string)
  default     = []
}

variable "operator_arns" {
  description = "Users and roles who may take on the operators' roles; without any, everybody whom the account lets."
  type        = list(string)
  default     = []
}
