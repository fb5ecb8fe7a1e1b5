output "statements" {
  description = "{actions, resources} of each thing that is granted."
  value       = local.granted
}
