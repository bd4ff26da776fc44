"""What the annotations that ask for something may say, and what is said to bad ones. Pure.

A value is bare text or a JSON object. What is refused is named, never repeated: it may hold arguments or
variables.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.names import ENV_PREFIX

MOST_OVERRIDE_BYTES = 4096
"""Largest arguments and variables of one run, as JSON."""
MAX_DEPTH = 32
"""Deepest nesting of a request."""
EVERYTHING = "all"
"""Stands for every dead letter."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VARIABLE = re.compile(r"[ -<>-~]{1,256}")
"""What Kubernetes takes for the name of a variable: printable ASCII without `=`."""
_RUN_ID = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class RefusedError(Exception):
    """A request that is not granted; the text is one sentence for the one who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a single run has instead of the spec's; None: nothing of its own."""

    args: dict[str, Any] | None = field(default=None, repr=False)
    env: dict[str, str] | None = field(default=None, repr=False)

    @property
    def given(self) -> bool:
        """Whether there is anything."""
        return self.args is not None or bool(self.env)

    @property
    def size(self) -> int:
        """Bytes as JSON."""
        return len(json.dumps(self.to_json(), ensure_ascii=False, separators=(",", ":")).encode())

    def to_json(self) -> dict[str, Any]:
        """The JSON object that `from_json` reads back."""
        parts = {"args": self.args, "env": self.env}
        return {name: part for name, part in parts.items() if part is not None}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """What `to_json` made; a part that is not of its making is left out."""
        args, env = given.get("args"), given.get("env")
        texts = isinstance(env, dict) and all(isinstance(value, str) for value in env.values())
        return cls(args=args if isinstance(args, dict) else None, env=env if texts else None)


def _moment(value: Any) -> datetime:
    """A time with its zone, written as text. No slot is before 1970."""
    if not isinstance(value, str):
        raise ValueError("is not a time")  # noqa: TRY004  # pydantic lets a TypeError through
    moment = parse_time(value)
    if moment < _EPOCH:
        raise ValueError("is before 1970")
    return moment


_Moment = Annotated[datetime, BeforeValidator(_moment)]
_Token = Annotated[str, Field(min_length=1, max_length=253)]


class _Request(BaseModel):
    """What all requests may say."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, hide_input_in_errors=True
    )

    id: _Token | None = None
    requested_by: _Token | None = None


class RunRequest(_Request):
    """One run, now."""

    args: dict[str, Any] | None = Field(default=None, repr=False)
    env: dict[str, str] | None = Field(default=None, repr=False)
    slot: _Moment | None = None
    if_active: Literal["Refuse", "Queue"] = "Refuse"

    @property
    def overrides(self) -> Overrides:
        return Overrides(args=self.args, env=self.env)


class BackfillRequest(_Request):
    """A run for every slot from one time to another, both included."""

    start: _Moment = Field(alias="from")
    end: _Moment = Field(alias="to")
    parallelism: int = Field(default=1, ge=1, le=20)


class LetterRequest(_Request):
    """Something that is done to one dead letter or to all of them."""

    run: _Token


class RetryRequest(LetterRequest):
    """Try again what failed for good."""


class ClearRequest(LetterRequest):
    """Forget what failed for good."""


class CancelRequest(_Request):
    """End a run that is active or waits."""

    run: _Token


Request = RunRequest | BackfillRequest | RetryRequest | ClearRequest | CancelRequest

_MODELS: Mapping[str, type[Request]] = {
    "run": RunRequest,
    "backfill": BackfillRequest,
    "retry": RetryRequest,
    "clear": ClearRequest,
    "cancel": CancelRequest,
}
KINDS = frozenset(_MODELS)
"""What can be asked for; each is the name of an annotation."""

_TIME = "a time with its zone such as 2026-12-24T08:00:00Z"
_RULES = {
    "id": "id must be text of 1 to 253 characters",
    "requestedBy": "requestedBy must be text of 1 to 253 characters",
    "args": 'args must be a JSON object such as {"batch": 100}',
    "env": 'env must be a JSON object of texts such as {"MODE": "full"}',
    "slot": f"slot must be {_TIME}",
    "ifActive": "ifActive must be Refuse or Queue",
    "from": f"from must be {_TIME}",
    "to": f"to must be {_TIME}",
    "parallelism": "parallelism must be a whole number from 1 to 20",
    "run": "run must be the id of a run",
}
_EXAMPLES = {
    "run": 'a word that was not used before, or an object such as {"args": {"batch": 100}}',
    "backfill": 'an object such as {"from": "2026-12-24T00:00:00Z", "to": "2026-12-24T06:00:00Z"}',
    "retry": 'the id of a dead letter, all, or an object such as {"run": "all", "id": "2"}',
    "clear": 'the id of a dead letter, all, or an object such as {"run": "all", "id": "2"}',
    "cancel": "the id of a run that is active or pending",
}


def kind_of(annotation: str) -> str:
    """What an annotation asks for: `run` for `run` and for `run.alice-1`."""
    return annotation.partition(".")[0]


def read(annotation: str, value: str) -> Request:
    """The request in the value of an annotation, whose name is given without the group.

    Raises RefusedError with what to write instead.
    """
    kind, text = kind_of(annotation), value.strip()
    if not text:
        raise RefusedError(f"the value is empty: write {_EXAMPLES[kind]}")
    if text.startswith("{"):
        request = _validated(kind, _object(kind, text))
    elif kind == "run":
        request = RunRequest()
    elif kind == "backfill":
        raise RefusedError(f"a backfill is a JSON object: write {_EXAMPLES[kind]}")
    else:
        request = _validated(kind, {"run": text})
    if isinstance(request, RunRequest):
        _check_overrides(request)
    elif not isinstance(request, BackfillRequest) and not _RUN_ID.fullmatch(request.run):
        raise RefusedError(f"that is not the id of a run: write {_EXAMPLES[kind]}")
    return request


def _object(kind: str, text: str) -> dict[str, Any]:
    """A JSON object that can be written back: no half characters, no infinite numbers."""
    try:
        given = json.loads(text)
        json.dumps(given, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RefusedError(f"this is not JSON: write {_EXAMPLES[kind]}") from None
    if not _is_shallow(given, levels=MAX_DEPTH):
        raise RefusedError(f"this is nested more than {MAX_DEPTH} levels deep: write it flatter")
    assert isinstance(given, dict)
    return given


def _is_shallow(value: Any, *, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(item, levels=levels - 1) for item in inner)


def _validated(kind: str, given: dict[str, Any]) -> Request:
    model = _MODELS[kind]
    try:
        return model.model_validate(given)
    except ValidationError as refused:
        fault = refused.errors(include_input=False, include_url=False, include_context=False)[0]
    field = str(fault["loc"][0])
    fields = ", ".join(entry.alias or name for name, entry in model.model_fields.items())
    if fault["type"] == "extra_forbidden":
        raise RefusedError(f"there is no field {_short(field)}: a {kind} request has {fields}")
    if fault["type"] == "missing":
        raise RefusedError(f"{field} is missing: write {_EXAMPLES[kind]}")
    raise RefusedError(_RULES[field])


def _check_overrides(request: RunRequest) -> None:
    for name in request.env or {}:
        if not _VARIABLE.fullmatch(name):
            raise RefusedError("a variable in env needs a name of 1 to 256 ASCII characters without '='")
        if name.startswith(ENV_PREFIX):
            raise RefusedError(
                f"env must not set {_short(name)}: names that begin with {ENV_PREFIX} are the operator's own"
            )
    size = request.overrides.size
    if size > MOST_OVERRIDE_BYTES:
        raise RefusedError(
            f"args and env may have {MOST_OVERRIDE_BYTES:,} bytes together, these have {size:,}: "
            "put large inputs where the run can read them"
        )


def _short(name: str) -> str:
    """A name as it may stand in a sentence."""
    return name if len(name) <= 63 else f"{name[:62]}…"
