"""The four services of the shop; each folder is a deployable."""
