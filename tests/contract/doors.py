"""The two hypervisors behind one suite: the fake, and the real adapter on libvirt's own test driver.

Each door knows how to put a volume where the suite needs one, and what its driver cannot do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.model.fleet import HostCard
from reconciler.ports import Hypervisor
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.machines import File, Host, Pool
from tests.fakes.world import World

CARD = HostCard("alone", "alone.lab.test", "10.0.0.1")


@dataclass
class Door:
    """A hypervisor with one host, an active pool `store` at `target`, and a volume `base.img` in it."""

    hypervisor: Hypervisor
    card: HostCard
    domain_type: str
    target: str
    lacks: dict[str, str] = field(default_factory=dict)
    wait: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None


def fake(folder: Path) -> Door:
    """One host in memory."""
    xml = "<pool type='dir'><name>store</name><uuid>1</uuid><target><path>/store</path></target></pool>"
    host = Host("alone", "10.0.0.1", "alone", units={"libvirtd": ("active", "enabled")})
    host.pools["store"] = Pool("store", xml, True, False, {"base.img"})
    host.root.files["/store/base.img"] = File("", 2**20, 2**19)
    world = World(host)
    world.writing["web"] = 3 * 2**20
    return Door(FakeHypervisor(world), CARD, "kvm", "/store", wait=lambda: world.pass_time(10))


NODE = """<node>
<pool type='dir'><name>store</name><target><path>/store</path></target>
<volume><name>base.img</name><capacity unit='bytes'>1048576</capacity>
<target><path>/store/base.img</path></target></volume>
</pool>
<network><name>default</name><bridge name='virbr0'/><ip address='192.168.122.1' netmask='255.255.255.0'/></network>
</node>"""


def real(folder: Path) -> Door:
    """libvirt's test driver, with a node of its own for each connection."""
    from reconciler.adapters.hypervisor import LibvirtHypervisor

    node = folder / "node.xml"
    node.write_text(NODE, encoding="utf-8")
    hypervisor = LibvirtHypervisor(None, uri=f"test://{node}")
    lacks = {
        "jobs": "the test driver has no job statistics",
        "undefine": "the test driver knows no undefine flags",
        "dirty": "the test driver measures no writing; that is unknown, as it must be",
        "compare": "the test driver compares no CPUs; the answer is unknown, as it must be",
    }
    return Door(hypervisor, CARD, "test", "/store", lacks, close=hypervisor.close)


DOORS: dict[str, Callable[[Path], Door]] = {"fake": fake, "libvirt": real}
