"""The running VM's CPU beside what another host's hypervisor can give. A part of live: it asks, and changes nothing."""

from collections.abc import Sequence

from reconciler.errors import HostError
from reconciler.model.crossing import Blocker, Caution, Crossing, Hurdle
from reconciler.ports import Hands

FIX = "a CPU model that every host has (`virsh domcapabilities`) can move anywhere, from its next boot on"


def ask(crossing: Crossing, hands: Hands) -> Sequence[Hurdle]:
    """A blocker where libvirt says the CPU is incompatible, a caution where it cannot tell."""
    if not crossing.guest:
        return ()
    host = crossing.destination
    try:
        word = hands.hypervisor.compare_cpu(hands.hosts[host], crossing.guest)
    except HostError as error:
        return [Caution(f"{host} did not compare its CPU: {error.reason}", "libvirt compares again when it moves")]
    match word:
        case "incompatible":
            return [Blocker(f"{host} cannot give the CPU it runs with", FIX, "live" if crossing.adapts else "")]
        case "unknown":
            return [Caution(f"libvirt on {host} cannot compare its CPU", "libvirt compares again when it moves")]
        case _:
            return []
