"""The event pipeline, and the two packages every component shares: `contracts` and `runtime`."""
