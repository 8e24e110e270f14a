"""Where everything goes: the kinds' tenancy becomes the planner's question, its answer the places of what is wanted."""
