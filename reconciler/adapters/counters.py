"""One bulk read of what libvirt counted of one domain, as plain sums; waits for no job and changes nothing."""

import time
from collections.abc import Mapping
from typing import Any

from reconciler.readings import Counters

_OF = {
    "vcpu": {"time": "vcpu_ns", "delay": "delay_ns"},
    "block": {
        "rd.reqs": "reads",
        "rd.bytes": "read_bytes",
        "rd.times": "read_ns",
        "wr.reqs": "writes",
        "wr.bytes": "write_bytes",
        "wr.times": "write_ns",
        "fl.reqs": "flushes",
        "fl.times": "flush_ns",
    },
    "net": {
        "rx.bytes": "rx_bytes",
        "tx.bytes": "tx_bytes",
        **{f"{way}.{what}": "drops" for way in ("rx", "tx") for what in ("drop", "errs")},
    },
}


def read_counters(lib: Any, connection: Any, uuid: str) -> Counters | None:
    """None where the domain is not there or not running; the moment is the middle of the call."""
    wanted = lib.VIR_DOMAIN_STATS_STATE | lib.VIR_DOMAIN_STATS_VCPU | lib.VIR_DOMAIN_STATS_BLOCK
    wanted |= lib.VIR_DOMAIN_STATS_INTERFACE | lib.VIR_DOMAIN_STATS_BALLOON
    try:
        domain = connection.lookupByUUIDString(uuid)
        began = time.monotonic()
        found = connection.domainListGetStats([domain], wanted, lib.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
    except lib.libvirtError as error:
        if error.get_error_code() == lib.VIR_ERR_NO_DOMAIN:
            return None
        raise
    stats: Mapping[str, Any] = found[0][1] if found else {}
    if stats.get("state.state") != lib.VIR_DOMAIN_RUNNING:
        return None
    return summed(stats, (began + time.monotonic()) / 2)


def summed(stats: Mapping[str, Any], at: float) -> Counters:
    """libvirt's `vcpu.0.time` and the like, added up over the devices."""
    sums = dict.fromkeys((field for fields in _OF.values() for field in fields.values()), 0)
    for key, value in stats.items():
        group, _, rest = key.partition(".")
        number, _, name = rest.partition(".")
        field = _OF.get(group, {}).get(name) if number.isdecimal() else None
        if field:
            sums[field] += int(value)
    return Counters(at=at, rss=int(stats.get("balloon.rss", 0)) * 1024, **sums)
