"""How a measurement is awaited and read, over libvirt's own words; a running QEMU is in no test here."""

from typing import Any

import libvirt
import pytest

from reconciler.adapters import dirtying
from reconciler.adapters.dirtying import read_dirty_rate

MEASURED = {"dirtyrate.calc_status": libvirt.VIR_DOMAIN_DIRTYRATE_MEASURED, "dirtyrate.megabytes_per_second": 7}
MEASURING = {"dirtyrate.calc_status": libvirt.VIR_DOMAIN_DIRTYRATE_MEASURING}


class _Failed(libvirt.libvirtError):  # type: ignore[misc]
    def __init__(self, code: int) -> None:
        self._code = code

    def get_error_code(self) -> int:
        return self._code


class _Connection:
    """Says one after the other, then the last for ever; `fails` with that code when it is to begin."""

    def __init__(self, *said: dict[str, int], fails: int = 0) -> None:
        self.said, self.fails, self.began = list(said), fails, 0

    def lookupByUUIDString(self, uuid: str) -> Any:
        return self

    def startDirtyRateCalc(self, seconds: int, flags: int) -> None:
        if self.fails:
            raise _Failed(self.fails)
        self.began = seconds

    def domainListGetStats(self, domains: list[Any], stats: int, flags: int) -> list[tuple[Any, dict[str, int]]]:
        assert (self.began, stats) == (1, libvirt.VIR_DOMAIN_STATS_DIRTYRATE)
        return [(self, self.said.pop(0) if len(self.said) > 1 else self.said[0])]


@pytest.fixture(autouse=True)
def hours(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock as one number, so that nothing is waited for."""
    at = [0.0]

    class Time:
        @staticmethod
        def monotonic() -> float:
            return at[0]

        @staticmethod
        def sleep(seconds: float) -> None:
            at[0] += seconds

    monkeypatch.setattr(dirtying, "time", Time)
    return at


def test_it_is_awaited_and_is_in_bytes(hours: list[float]) -> None:
    assert read_dirty_rate(libvirt, _Connection(MEASURING, {}, MEASURED), "u", 1, 16) == 7 * 2**20
    assert hours == [pytest.approx(1.2)]


@pytest.mark.parametrize("said", [MEASURING, {}, {"dirtyrate.calc_status": libvirt.VIR_DOMAIN_DIRTYRATE_MEASURED}])
def test_what_is_not_said_in_time_is_unknown(said: dict[str, int], hours: list[float]) -> None:
    assert read_dirty_rate(libvirt, _Connection(said), "u", 1, 5) is None
    assert 4 < hours[0] < 5


@pytest.mark.parametrize("code", ["NO_SUPPORT", "OPERATION_UNSUPPORTED", "OPERATION_INVALID", "NO_DOMAIN"])
def test_who_cannot_measure_does_not_know(code: str) -> None:
    assert read_dirty_rate(libvirt, _Connection(fails=getattr(libvirt, f"VIR_ERR_{code}")), "u", 1, 5) is None


def test_other_failures_are_told() -> None:
    with pytest.raises(libvirt.libvirtError):
        read_dirty_rate(libvirt, _Connection(fails=libvirt.VIR_ERR_RPC), "u", 1, 5)


def test_a_binding_that_is_too_old_asks_nothing() -> None:
    class Old:
        libvirtError = libvirt.libvirtError

    connection = _Connection(MEASURED)
    assert read_dirty_rate(Old, connection, "u", 1, 5) is None
    assert connection.began == 0
