"""Where VMs run and in which order they move: pure algorithms on small values, `solve.solve` from Problem to Solution.

Knows no libvirt, no YAML, no kinds and no engine; needs numpy, and ortools only where it is installed.
"""
