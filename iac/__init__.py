"""Infrastructure: the topology as data, its local bootstrap, and Terraform."""
