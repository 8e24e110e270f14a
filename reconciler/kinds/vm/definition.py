"""VM: what brings the stored definition of an existing one to what is declared.

Pure; starts, stops and moves nothing.
"""

from dataclasses import replace

from reconciler.kinds.vm.actions import DefineDomain, SetAutostart, SetResources
from reconciler.kinds.vm.creation import refuse
from reconciler.kinds.vm.domain_xml import marked, with_uuid
from reconciler.kinds.vm.move_mark import with_notes
from reconciler.kinds.vm.state import DomainState, VmDesired
from reconciler.kinds.vm.wire import from_xml
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import Desired, View
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place


def define(
    item: Desired, place: Place, state: DomainState, paths: frozenset[str], view: View
) -> list[Action | Refusal]:
    """XML, size and autostart as declared, where `paths` says that they are not; at once or from the next boot on."""
    want: VmDesired = item.value
    steps: list[Action | Refusal] = []
    running = state.power == "running"
    when = Disruption.NEXT_BOOT if running else Disruption.NONE
    if "domain XML" in paths:
        xml = marked(with_uuid(want.xml, state.uuid), view.fleet.name, want.digest)
        notes = {"resume": "yes" if state.resume else "", "prune": "allowed" if state.prune else "", "home": state.home}
        xml = with_notes(xml, **notes, moved=str(state.moved or ""))
        try:
            result = from_xml(want.name, xml)
        except ValueError as error:
            return [refuse(item, str(error), "check it with virt-xml-validate")]
        if result.uuid != state.uuid:
            return [refuse(item, "its domain XML names another UUID", f"the domain has {state.uuid}")]
        result = replace(result, power=state.power, autostart=state.autostart)
        paths |= {n for n in ("vcpus", "memory") if getattr(want, n) not in (None, getattr(result, n))}
        steps.append(
            DefineDomain(
                place=place,
                uuid=state.uuid,
                xml=xml,
                digest=want.digest,
                fleet=view.fleet.name,
                result=result,
                disruption=when,
                reason="the XML file changed",
            )
        )
    if paths & {"vcpus", "memory"}:
        reason = f"has {state.vcpus} vCPU and {state.memory // 2**20} MiB"
        steps.append(
            SetResources(
                place=place,
                uuid=state.uuid,
                disruption=when,
                reason=reason,
                needs=tuple(step.id for step in steps if isinstance(step, Action)),
                vcpus=want.vcpus if "vcpus" in paths else None,
                memory=want.memory if "memory" in paths else None,
            )
        )
    if "autostart" in paths:
        reason = f"autostart is {'on' if state.autostart else 'off'}"
        steps.append(SetAutostart(place=place, uuid=state.uuid, on=bool(want.autostart), reason=reason))
    return steps
