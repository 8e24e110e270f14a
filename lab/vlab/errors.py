"""The one error of the lab: what went wrong and what to do about it.

It must not be raised without a remedy when one is known.
"""


class LabError(Exception):
    """A failure that a person can act on."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\n  remedy: {self.remedy}" if self.remedy else text
