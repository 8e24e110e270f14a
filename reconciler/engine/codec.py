"""Values to JSON and back: snapshots, actions and plans, by the types the kinds registered.

pydantic does the work; a field that does not fit is an error that names it, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import PlanError
from reconciler.kind import Kind
from reconciler.model.action import Action
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration, Silence, Snapshot

SNAPSHOT_VERSION = 1


_ADAPTERS: dict[Any, Any] = {}


def _adapter(type_: Any) -> Any:
    if type_ not in _ADAPTERS:
        _ADAPTERS[type_] = TypeAdapter(type_)
    return _ADAPTERS[type_]


def dump(value: Any) -> Any:
    """A dataclass as plain data."""
    return _adapter(type(value)).dump_python(value, mode="json")


def read(type_: type, data: Any) -> Any:
    """Plain data as that dataclass; raises PlanError naming what does not fit."""
    try:
        return _adapter(type_).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanError(f"cannot be read as {type_.__name__}: {where}: {first['msg']}") from None


def dump_action(action: Action) -> dict[str, Any]:
    """With its type's name and the fields a reader wants without knowing the type."""
    shown = {"id": action.id, "type": type(action).__name__, "place": str(action.place), "explain": action.explain()}
    return {**shown, "fields": dump(action)}


def read_action(data: Mapping[str, Any], kinds: Sequence[Kind]) -> Action:
    types = {type_.__name__: type_ for kind in kinds for type_ in kind.actions}
    if data.get("type") not in types:
        raise PlanError(f"unknown action {data.get('type')!r}", "was the plan made by a newer reconciler?")
    action: Action = read(types[data["type"]], data["fields"])
    return action


def dump_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """Places as text, each state with its type's name."""
    return {
        "version": SNAPSHOT_VERSION,
        "taken": snapshot.taken,
        "objects": {str(p): {"type": type(s).__name__, **dump(s)} for p, s in sorted(snapshot.objects.items())},
        "silences": [dump(silence) for silence in snapshot.silences],
        "migrations": [dump(migration) for migration in snapshot.migrations],
    }


def read_snapshot(data: Any, kinds: Sequence[Kind]) -> Snapshot:
    """The inverse; raises PlanError when the file is no snapshot or of another version."""
    if not isinstance(data, dict) or data.get("version") != SNAPSHOT_VERSION:
        raise PlanError("not a snapshot of this version", "make one with `reconciler snapshot`")
    types = {type_.__name__: type_ for kind in kinds for type_ in kind.states}
    objects = {}
    for text, fields_ in (data.get("objects") or {}).items():
        name = fields_.get("type")
        if name not in types:
            raise PlanError(f"snapshot: {text} is of unknown type {name!r}")
        objects[Place.parse(text)] = read(types[name], {k: v for k, v in fields_.items() if k != "type"})
    return Snapshot(
        int(data.get("taken", 0)),
        objects,
        tuple(read(Silence, item) for item in data.get("silences") or ()),
        tuple(read(Migration, item) for item in data.get("migrations") or ()),
    )


def steady(state: Any) -> Any:
    """A state as plain data without the fields that change by themselves; None stays None."""
    if state is None:
        return None
    volatile = {f.name for f in fields(state) if f.metadata.get("volatile")}
    return {name: value for name, value in dump(state).items() if name not in volatile}
