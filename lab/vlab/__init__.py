"""The lab: full libvirt hosts in containers on one machine, started, reset and taken down by one command.

Nothing in this package may know the product; it must not touch anything on the machine that it did not make.
"""
