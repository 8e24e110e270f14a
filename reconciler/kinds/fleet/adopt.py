"""The Fleet document of an imported fleet: its name, how its hosts are logged in to, and nothing done unasked. Pure.

Policy is a person's: what no host can say is left at its default.
"""

from reconciler.kind import Adopted, Draft
from reconciler.model.desired import View
from reconciler.model.fleet import Connection

_MODE = "mode: observe: a scheduled pass looks and reports; set it to apply when the plans are as you want them"


def adopt(view: View) -> Adopted:
    """One Fleet; the loop only looks until somebody says otherwise."""
    said, default = view.fleet.connection, Connection()
    names = {"user": "user", "port": "port", "identityFile": "identity_file", "knownHostsFile": "known_hosts_file"}
    connection = {
        key: getattr(said, name) for key, name in names.items() if getattr(said, name) != getattr(default, name)
    }
    spec = {"mode": "observe", **({"defaults": {"connection": connection}} if connection else {})}
    return Adopted((Draft("Fleet", view.fleet.name, spec, (_MODE,)),))
