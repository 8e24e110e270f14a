"""The outside world behind the ports: one module per door, and no decisions."""
