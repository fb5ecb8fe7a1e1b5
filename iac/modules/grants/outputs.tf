output "statements" {
  description = "{actions, resources} of each thing that is granted."
  value       = concat(local.granted, local.asking)
}
