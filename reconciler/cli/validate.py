"""`reconciler validate`: read and check the specs, ask no host."""

from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Format, Output, Path, emit, framed, read_specs, say


def validate(path: Path = ".", output: Output = Format.TEXT) -> None:
    """Check specs: every mistake at once, each with file and line. No host is asked.

    Examples:

      reconciler validate specs/

      kustomize build . | reconciler validate -
    """
    with framed(output):
        wanted, source, _ = read_specs(path)
        if output is Format.JSON:
            emit({"fleet": wanted.fleet.name, "documents": len(wanted.documents), "digest": source.digest}, Exit.OK)
        else:
            hosts = len(wanted.fleet.hosts)
            say(f"{len(wanted.documents)} documents of fleet {wanted.fleet.name} are well ({hosts} hosts).")
