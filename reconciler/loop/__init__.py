"""When to pass, and who: the loop over git, its queue, its history. Knows no kind by name."""
