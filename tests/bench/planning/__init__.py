"""`make bench-planning`: the planner against proven bounds, public instances and what others reach."""
