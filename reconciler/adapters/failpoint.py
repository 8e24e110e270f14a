"""Failpoints by name, for crash tests: `RECONCILER_FAILPOINT=move.granted` kills this process there with SIGKILL.

`NAME=error` raises instead and `NAME=sleep:SECONDS` waits. Unset, as always outside tests, it does nothing.
"""

import os
import signal
import time

from reconciler.errors import ReconcilerError


def at(name: str) -> None:
    """Act if this failpoint is asked for."""
    wanted, _, how = os.environ.get("RECONCILER_FAILPOINT", "").partition("=")
    if wanted != name:
        return
    if how.startswith("sleep:"):
        time.sleep(float(how[6:]))
    elif how == "error":
        raise ReconcilerError(f"failpoint {name}")
    else:
        os.kill(os.getpid(), signal.SIGKILL)
