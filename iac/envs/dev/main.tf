# The same files that the local bootstrap reads. What is to exist is decided there; this root
# only hands each entry to the module that knows how to make it.
locals {
  topology = {
    for file in fileset("${path.root}/../../topology", "*.json") :
    trimsuffix(file, ".json") => jsondecode(file("${path.root}/../../topology/${file}"))
  }
  prefix = "has-${var.stage}"
  account = join(":", [
    "arn", data.aws_partition.current.partition, "iam", "", data.aws_caller_identity.current.account_id, "root",
  ])

  arns = {
    tables        = { for name, table in module.table : name => table.arn }
    table_streams = { for name, table in module.table : name => table.stream_arn }
    streams       = { for name, stream in module.stream : name => stream.arn }
    topics        = { for name, topic in module.topic : name => topic.arn }
    queues        = { for name, queue in module.queue : name => queue.arn }
    buckets       = { for name, bucket in module.bucket : name => bucket.arn }
    catalogs      = { lake = module.catalog.arns }
    secrets       = { for name, secret in module.secret : name => secret.arn }
  }

  # One alarm for each value of what is watched; those of the error budgets come from slo.json.
  watched = flatten([
    for short, alarm in local.topology.alarms : [
      for dimension, values in lookup(alarm, "each", {}) : [
        for value in values : {
          name       = "${short}-${value}"
          dimensions = { (dimension) = value }
          threshold  = alarm.threshold
          summary    = alarm.summary
          declared   = alarm
        }
      ]
    ]
  ])
  burns = flatten([
    for objective in keys(local.topology.slo.objectives) : [
      for rule in local.topology.slo.rules : {
        name       = "burn-${objective}-${rule.name}"
        dimensions = { Slo = objective, Rule = rule.name }
        threshold  = rule.burn_rate
        summary = join(" ", [
          "The error budget of ${objective} burns ${rule.burn_rate} times faster than allowed over",
          "${rule.long_min} and ${rule.short_min} min: ${rule.severity}.",
        ])
        declared = local.topology.alarms.burn
      }
    ]
  ])
}

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

module "table" {
  source   = "../../modules/table"
  for_each = local.topology.tables

  name     = "${local.prefix}-${each.key}"
  declared = each.value

  # What a dev stage holds can be made again from the seed and the order log.
  point_in_time_recovery = false
  deletion_protection    = false
}

module "stream" {
  source   = "../../modules/stream"
  for_each = local.topology.streams

  name     = "${local.prefix}-${each.key}"
  declared = each.value
}

module "queue" {
  source   = "../../modules/queue"
  for_each = local.topology.queues

  name              = "${local.prefix}-${each.key}"
  declared          = each.value
  alarm_action_arns = concat([module.topic["alarms"].arn], var.alarm_action_arns)
  subscriptions = {
    for name, topic in local.topology.topics : name => {
      topic_arn     = module.topic[name].arn
      filter_policy = jsonencode(topic.subscriptions[each.key])
    }
    if contains(keys(topic.subscriptions), each.key)
  }
}

module "topic" {
  source   = "../../modules/topic"
  for_each = local.topology.topics

  name = "${local.prefix}-${each.key}"
}

module "bucket" {
  source   = "../../modules/bucket"
  for_each = local.topology.buckets

  name = "${local.prefix}-${each.key}"
}

module "catalog" {
  source = "../../modules/catalog"

  name = "has_${var.stage}"
}

module "secret" {
  source   = "../../modules/secret"
  for_each = local.topology.secrets

  name    = "${local.prefix}-${each.key}"
  purpose = each.value.purpose
}

module "layer" {
  source   = "../../modules/layer"
  for_each = toset(var.library_package == null ? [] : ["libraries"])

  name     = local.prefix
  package  = var.library_package
  runtimes = distinct([for function in local.topology.functions : function.runtime])
}

module "granted_to_function" {
  source   = "../../modules/grants"
  for_each = local.topology.grants

  grants = each.value
  arns   = local.arns
}

module "function" {
  source   = "../../modules/function"
  for_each = local.topology.functions

  name            = "${local.prefix}-${each.key}"
  short_name      = each.key
  declared        = each.value
  statements      = module.granted_to_function[each.key].statements
  arns            = local.arns
  package         = var.function_package
  layer_arns      = [for layer in module.layer : layer.arn]
  log_retention_d = var.log_retention_d
  environment = merge(
    { HAS_STAGE = var.stage, HAS_CURRENCY = var.currency },
    each.key == "payment" ? { HAS_GATEWAY_URL = var.payment_gateway_url } : {},
    var.function_environment,
  )

  mappings = {
    for name, mapping in local.topology.mappings :
    name => merge(mapping, {
      filter_patterns = [for pattern in coalesce(mapping.filter, []) : jsonencode(pattern)]
    })
    if mapping.function == each.key
  }
}

# What people take on for a job. The functions are not in `local.arns`, which they are made from.
module "granted_to_operator" {
  source   = "../../modules/grants"
  for_each = local.topology.roles

  grants = each.value.grants
  arns = merge(local.arns, {
    dead_letters = { for name, queue in module.queue : name => queue.dead_letters_arn }
    functions    = { for name, function in module.function : name => function.arn }
  })
}

module "role" {
  source   = "../../modules/role"
  for_each = local.topology.roles

  name         = "${local.prefix}-operator-${each.key}"
  purpose      = each.value.purpose
  trusted_arns = coalescelist(var.operator_arns, [local.account])
  statements   = module.granted_to_operator[each.key].statements
}

module "schedule" {
  source   = "../../modules/schedule"
  for_each = local.topology.schedules

  name         = "${local.prefix}-${each.key}"
  expression   = each.value.expression
  function_arn = module.function[each.value.function].arn
  input        = each.value.input
}

module "alarm" {
  source   = "../../modules/alarm"
  for_each = { for alarm in concat(local.watched, local.burns) : alarm.name => alarm }

  name        = "${local.prefix}-${each.key}"
  summary     = each.value.summary
  dimensions  = each.value.dimensions
  threshold   = each.value.threshold
  declared    = each.value.declared
  action_arns = concat([module.topic["alarms"].arn], var.alarm_action_arns)
}
