"""A libvirtd that says nothing in time is told as late, whatever the remote command says about our hanging up."""

import threading

import pytest

from reconciler.adapters.hypervisor import LibvirtHypervisor
from reconciler.errors import Unreachable
from reconciler.model.fleet import HostCard

CARD = HostCard("lq-d26", "lq-d26.vpd.com", "10.77.0.12")


class Channel:
    """A remote virt-ssh-helper that hears nothing of its libvirtd, and complains when it is hung up on."""

    def __init__(self, complaint: bytes) -> None:
        self.hung_up, self._complaint = threading.Event(), complaint

    def settimeout(self, seconds: float | None) -> None:
        assert seconds is None

    def close(self) -> None:
        self.hung_up.set()

    def recv_stderr_ready(self) -> bool:
        return bool(self._complaint)

    def recv_stderr(self, count: int) -> bytes:
        said, self._complaint = self._complaint[:count], self._complaint[count:]
        return said


class Shell:
    guard = None

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def stream(self, host: HostCard, argv: list[str], deadline: float) -> Channel:
        return self._channel


class Lib:
    """libvirt-python, as far as opening goes."""

    class libvirtError(Exception):
        def get_error_message(self) -> str:
            return "End of file while reading data"

    def __init__(self, channel: Channel, silent: bool) -> None:
        self._channel, self._silent = channel, silent

    def open(self, uri: str) -> None:
        if self._silent:
            assert self._channel.hung_up.wait(10)
        raise self.libvirtError


def told(silent: bool) -> str:
    channel = Channel(b"virt-ssh-helper: could not proxy traffic: EOF on stdin")
    hypervisor = LibvirtHypervisor(Shell(channel))  # type: ignore[arg-type]
    hypervisor._lib = Lib(channel, silent)
    with pytest.raises(Unreachable) as caught:
        hypervisor._connect(CARD, 0.2)
    return str(caught.value)


def test_late_is_told_as_late() -> None:
    assert "within 0 s" in told(silent=True)
    assert "proxy traffic" not in told(silent=True)


def test_in_time_the_complaint_is_told() -> None:
    assert "could not proxy traffic" in told(silent=False)
    assert "within" not in told(silent=False)
