"""Where VMs run and in which order they move: laws over random fleets, small cases by hand, broken plans."""
