"""The types of YAML fields that say when: moments, times of the day, time zones, days.

Shapes only; what is allowed when is asked in engine/hold.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import PlainValidator, WithJsonSchema

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)"


def _moment(value: Any) -> int:
    try:
        if not isinstance(value, str) or not re.fullmatch(_MOMENT, value):
            raise ValueError
        return int(datetime.fromisoformat(value).timestamp())
    except ValueError:
        raise ValueError(f"not a moment with its zone: {str(value)[:40]!r}; write 2026-12-01T06:00:00Z") from None


def _time_of_day(value: Any) -> int:
    found = re.fullmatch(r"(\d\d):(\d\d)", value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else 1441
    if minutes > 1440:
        raise ValueError(f"not a time of the day: {str(value)[:40]!r}; write 22:00, from 00:00 to 24:00")
    return minutes


def _timezone(value: Any) -> str:
    try:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_+/-]{1,60}", value):
            raise ValueError
        return ZoneInfo(value).key
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise ValueError(f"not a time zone: {str(value)[:40]!r}; write a name such as Europe/Madrid or UTC") from None


def _text(pattern: str, description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "description": description})


Moment = Annotated[int, PlainValidator(_moment), _text(_MOMENT, "a moment such as 2026-12-01T06:00:00Z")]
TimeOfDay = Annotated[int, PlainValidator(_time_of_day), _text(r"\d\d:\d\d", "a time of the day such as 22:00")]
Timezone = Annotated[str, PlainValidator(_timezone), _text("[A-Za-z0-9_+/-]{1,60}", "a name such as Europe/Madrid")]
