"""A seeded random walk of spec edits, faults and kills on the lab, and what must hold after each step."""
