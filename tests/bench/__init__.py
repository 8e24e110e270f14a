"""Measurements against what a user would use instead, side by side in one run on the lab; never part of the tests."""
