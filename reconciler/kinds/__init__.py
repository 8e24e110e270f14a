"""One folder per kind, each with the same file names; `KIND` in each `__init__` is its record for the engine."""
