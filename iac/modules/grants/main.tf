# Grants, as iac/topology/ words them, as statements of a policy: no action is a pattern.

locals {
  # Kind -> verb -> what it lets; `index` is for the search index of kept traces.
  actions = jsondecode(file("${path.module}/actions.json"))

  # Objects lie under the bucket, and indexes under the table, each with an ARN of its own.
  below = { tables = ["", "/index/*"], buckets = ["", "/*"] }

  granted = flatten([
    for kind, names in var.grants : [
      for name, verbs in names : {
        actions = distinct(flatten([for verb in verbs : local.actions[kind][verb]]))
        resources = flatten(kind == "catalogs" ? [var.arns.catalogs[name]] : [[
          for suffix in lookup(local.below, kind, [""]) : "${var.arns[kind][name]}${suffix}"
        ]])
      }
    ]
  ])

  # Who runs a function again asks which filters its mapping has: AWS knows no resource for that.
  asking = contains(keys(var.grants), "functions") ? [{
    actions   = ["lambda:ListEventSourceMappings"]
    resources = ["*"]
  }] : []
}
