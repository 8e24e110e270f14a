"""The reconciler: GitOps for plain libvirt/KVM hosts.

Holds the version and nothing else; the way in is `reconciler.cli.app`.
"""

__version__ = "0.1.0"
