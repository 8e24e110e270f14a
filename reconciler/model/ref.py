"""Names of things: what a spec declares (Ref) and where its part on one host is (Place).

Only names; what is behind them lives in the snapshot or in the desired state.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A declared object, printed as `vm/web`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An object on one host, printed as `pool/shared@lq-d25`."""

    kind: str
    host: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name == self.host else f"{self.kind}/{self.name}@{self.host}"

    @property
    def ref(self) -> Ref:
        return Ref(self.kind, self.name)

    @staticmethod
    def parse(text: str) -> "Place":
        """The inverse of str(); raises ValueError on anything else."""
        kind, slash, rest = text.partition("/")
        name, at, host = rest.rpartition("@")
        if not slash or not rest:
            raise ValueError(f"not a place: {text!r}")
        return Place(kind, host, name) if at else Place(kind, rest, rest)
