"""How fast a running guest writes its memory, as its QEMU measures it when it is asked (libvirt 7.2, QEMU 5.2).

Changes nothing of the guest, and never says a rate that was measured for somebody else before.
"""

import time
from typing import Any

MIB = 2**20
_EVERY = 0.1
_EARLY = 0.5


def read_dirty_rate(lib: Any, connection: Any, uuid: str, seconds: int, deadline: float) -> int | None:
    """Bytes per second; None where nobody runs by that UUID, libvirt or QEMU cannot, or it is not over in time.

    It gives up a little before the deadline, at which the connection would be cut.
    """
    end = time.monotonic() + deadline - _EARLY
    if not hasattr(lib, "VIR_DOMAIN_STATS_DIRTYRATE"):
        return None
    try:
        domain = connection.lookupByUUIDString(uuid)
        domain.startDirtyRateCalc(seconds, 0)
        pause = float(seconds)
        while time.monotonic() + pause < end:
            time.sleep(pause)
            rate = _measured(lib, connection, domain)
            if rate is not None:
                return rate * MIB
            pause = _EVERY
    except lib.libvirtError as error:
        if error.get_error_code() in _cannot(lib):
            return None
        raise
    return None


def _measured(lib: Any, connection: Any, domain: Any) -> int | None:
    """MiB per second; None while it is being measured. A monitor that somebody else holds is asked again later."""
    nowait = lib.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    found = connection.domainListGetStats([domain], lib.VIR_DOMAIN_STATS_DIRTYRATE, nowait)
    stats = found[0][1] if found else {}
    if stats.get("dirtyrate.calc_status") != lib.VIR_DOMAIN_DIRTYRATE_MEASURED:
        return None
    rate = stats.get("dirtyrate.megabytes_per_second")
    return None if rate is None else int(rate)


def _cannot(lib: Any) -> tuple[int, ...]:
    unable = (lib.VIR_ERR_NO_SUPPORT, lib.VIR_ERR_OPERATION_UNSUPPORTED, lib.VIR_ERR_CONFIG_UNSUPPORTED)
    return (*unable, lib.VIR_ERR_OPERATION_INVALID, lib.VIR_ERR_NO_DOMAIN)
