"""The practice with the storage it names: NFS 4.2, hosts with their own kernels. Minutes, so only with --run-nfs.

Drives the command line only, and believes only what the hosts say.
"""
