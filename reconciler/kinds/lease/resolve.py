"""Nobody declares a lease: there is nothing to resolve."""

from collections.abc import Sequence

from reconciler.kind import Document, Resolved, Scope


def resolve(documents: Sequence[Document], scope: Scope) -> Resolved:
    """Nothing."""
    return Resolved()
