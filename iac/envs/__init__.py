"""The Terraform roots, and the two small tools around them: the code package, and a reader."""
