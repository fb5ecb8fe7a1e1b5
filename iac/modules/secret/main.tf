# Only the name and the purpose: a value set here would lie in the state, readable by whoever
# reads that. Values are put afterwards, once, by the person or the rotation that makes them.
resource "aws_secretsmanager_secret" "this" {
  name                    = var.name
  description             = var.purpose
  recovery_window_in_days = var.recovery_window_d

  lifecycle {
    prevent_destroy = true
  }
}
