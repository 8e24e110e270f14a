"""There is no YAML of this kind: leases come from moves, their policy is Fleet.defaults.access."""
