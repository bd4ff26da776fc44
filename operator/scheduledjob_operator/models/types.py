"""Field types shared by spec and status: how a duration and a moment look in YAML."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

_DURATION = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_DURATION_CEL = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"


class Model(BaseModel):
    """A frozen record whose YAML names are camelCase.

    Unknown fields are ignored, so that an older operator can read an object of a newer definition.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


def parse_duration(text: Any) -> timedelta:
    """Read `90s`, `5m` or `1h30m`. Raises ValueError with what to write instead."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise ValueError("is not a duration: write a positive duration such as 90s, 5m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back, in whole seconds."""
    total = int(duration.total_seconds())
    hours, minutes, seconds = total // 3600, total % 3600 // 60, total % 60
    parts = (f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{seconds}s" if seconds else "")
    return "".join(parts) or "0s"


def duration_field(text: str) -> Any:
    """A field whose default is the duration `text`, spelt like that in the definition."""
    return Field(default=parse_duration(text), json_schema_extra={"default": text})


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration)]
"""A length of time, written as text; to be bounded by `Between`."""


@dataclass(frozen=True)
class Between:
    """Bounds of a `Duration`, as text, with an example for the sentence that refuses another one."""

    least: str
    most: str
    example: str = "90s, 5m or 1h30m"

    @property
    def sentence(self) -> str:
        return f"must be a duration from {self.least} to {self.most}: write for example {self.example}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        floor, ceiling = parse_duration(self.least), parse_duration(self.most)

        def check(duration: timedelta) -> timedelta:
            if not floor <= duration <= ceiling:
                raise ValueError(self.sentence)
            return duration

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        bounds = f"duration(self) >= duration('{self.least}') && duration(self) <= duration('{self.most}')"
        rule = f"self.matches('{_DURATION_CEL}') && self != '' ? {bounds} : false"
        return {
            "type": "string",
            "maxLength": 20,
            "x-kubernetes-validations": [{"rule": rule, "message": self.sentence}],
        }


def parse_time(value: Any) -> datetime:
    """Read an RFC 3339 time with a zone as an aware UTC datetime."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("must name its zone: write for example 2026-12-24T08:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the calendar: write for example 2026-12-24T08:00:00Z") from None


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, as Kubernetes writes its times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[
    datetime,
    BeforeValidator(parse_time),
    PlainSerializer(format_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

Instant = Annotated[
    datetime,
    BeforeValidator(parse_time),
    PlainSerializer(format_time),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 40,
            "x-kubernetes-validations": [
                {
                    # Kubernetes' own date-time takes a time without a zone, too.
                    "rule": "self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                    "(\\\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$')",
                    "message": "must be a time with its zone: write for example 2026-12-24T08:00:00Z "
                    "or 2026-12-24T09:00:00+01:00",
                }
            ],
        }
    ),
]
"""A time that somebody writes; it has to name its zone."""

_OBJECT = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_OBJECTS = {"type": "array", "maxItems": 100, "items": _OBJECT}

PodTemplate = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "metadata": {**_OBJECT, "description": "Labels and annotations of the Pod."},
                "spec": {
                    **_OBJECT,
                    "description": "Fields of a PodSpec. Lists of named things are merged by name.",
                    "properties": {
                        "containers": {
                            **_OBJECTS,
                            "description": "Sidecars, and additions to the container job.",
                        },
                        "initContainers": {**_OBJECTS, "description": "Containers that run before."},
                        "volumes": {**_OBJECTS, "description": "Volumes of the Pod."},
                    },
                },
            },
        }
    ),
]
"""A PodTemplateSpec, checked no further than merging needs; the API server checks the rest."""

FreeObject = Annotated[dict[str, Any], WithJsonSchema(_OBJECT)]
"""Any JSON object; its fields are kept as they are."""
