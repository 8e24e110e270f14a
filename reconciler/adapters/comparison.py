"""libvirt's comparison of a domain's CPU with what a hypervisor can give; changes nothing.

A question that libvirt cannot answer is `unknown`, never a guess.
"""

from typing import Any

from lxml import etree


def compare_cpu(lib: Any, connection: Any, xml: str) -> str:
    """identical, superset, incompatible or unknown, for the domain's own type, architecture and machine."""
    root: Any = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    cpu, kind = root.find("cpu"), root.find("os/type")
    if cpu is None or cpu.get("mode", "custom") == "host-passthrough" or cpu.find("model") is None:
        return "unknown"
    words = {
        lib.VIR_CPU_COMPARE_IDENTICAL: "identical",
        lib.VIR_CPU_COMPARE_SUPERSET: "superset",
        lib.VIR_CPU_COMPARE_INCOMPATIBLE: "incompatible",
    }
    where = (kind.get("arch"), kind.get("machine")) if kind is not None else (None, None)
    try:
        answer = connection.compareHypervisorCPU(
            None, *where, root.get("type"), etree.tostring(cpu, encoding="unicode"), 0
        )
    except lib.libvirtError as error:
        silent = (lib.VIR_ERR_NO_SUPPORT, lib.VIR_ERR_OPERATION_UNSUPPORTED, lib.VIR_ERR_CONFIG_UNSUPPORTED)
        if error.get_error_code() in silent:
            return "unknown"
        raise
    return words.get(answer, "unknown")
