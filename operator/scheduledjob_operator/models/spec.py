"""The ScheduledJob's spec as frozen models; the custom resource definition is generated from them.

The docstring under a field is what `kubectl explain` prints for it.
"""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, model_validator

from scheduledjob_operator.models.policies import (
    CatchUp,
    ConcurrencyPolicy,
    Expect,
    History,
    PauseAfter,
    Priority,
    Retry,
)
from scheduledjob_operator.models.types import (
    Between,
    Duration,
    FreeObject,
    Instant,
    Model,
    PodTemplate,
    Time,
    duration_field,
)

_SCHEDULE_CEL = (  # five or six fields or a macro
    r"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\\S+( +\\S+){4,5})$"
)
_QUANTITY = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "maxLength": 64,
}


def _rule(rule: str, message: str) -> dict[str, Any]:
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


class EnvVar(Model):
    """One environment variable of the run."""

    name: str = Field(min_length=1, max_length=256)
    """Name of the variable."""
    value: str | None = Field(default=None, max_length=32768)
    """The value itself. Secrets belong into valueFrom.secretKeyRef. As in every container, `$(NAME)`
    becomes the value of a variable above and `$$` one `$`: for two write `$$$$`."""
    value_from: FreeObject | None = None
    """A source for the value, as in a Pod: secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef."""


class EnvFromSource(Model):
    """A ConfigMap or Secret whose keys all become environment variables."""

    prefix: str | None = Field(default=None, max_length=256)
    """Text put in front of each key."""
    config_map_ref: FreeObject | None = None
    """The ConfigMap, by name, in the same namespace."""
    secret_ref: FreeObject | None = None
    """The Secret, by name, in the same namespace."""


class Resources(Model):
    """What the run may use and what is set aside for it, as in a Pod."""

    limits: Annotated[
        dict[str, int | str] | None,
        WithJsonSchema({"type": "object", "maxProperties": 32, "additionalProperties": _QUANTITY}),
    ] = None
    """The most the run may use, such as {cpu: 500m, memory: 256Mi}."""
    requests: Annotated[
        dict[str, int | str] | None,
        WithJsonSchema({"type": "object", "maxProperties": 32, "additionalProperties": _QUANTITY}),
    ] = None
    """What is set aside for the run on its node."""


class ScheduledJobSpec(Model):
    """What runs, when, and what happens when it fails."""

    enabled: bool = True
    """Whether the schedule fires. false suspends it and keeps everything else; switching it on again
    fires no slot of the past. Default true."""
    schedule: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        json_schema_extra=_rule(
            f"self.matches('{_SCHEDULE_CEL}')",
            "schedule has five fields (minute hour day-of-month month day-of-week) such as '*/5 * * * *', "
            "six with the seconds first such as '*/10 * * * * *', or is a macro such as @hourly, @daily or "
            "@weekly",
        ),
    )
    """When to run: five cron fields (minute, hour, day of month, month, day of week) or a macro such as
    @daily, read as Kubernetes' CronJob does. Six fields begin with the second. H is a value that is this
    ScheduledJob's own and spreads the load, as in 'H * * * *'. L is the last day of the month, 15W the
    weekday nearest to the 15th, 1#2 the second Monday. Give schedule, every or at, or none of them to run on
    demand only."""
    every: Annotated[Duration, Between("1s", "8784h", example="90s, 5m or 1h30m")] | None = None
    """How often to run, such as 90s or 1h30m: counted in real time from startsAt, or else from the beginning
    of 1970 in UTC, so that no restart shifts it."""
    at: Instant | None = None
    """When to run once, such as 2026-12-24T08:00:00Z."""
    time_zone: str = Field(default="Etc/UTC", min_length=1, max_length=64)
    """IANA time zone of the schedule, such as Europe/Berlin. Default Etc/UTC."""
    environments: list[Annotated[str, Field(min_length=1, max_length=63)]] = Field(
        default=[], max_length=20, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Where the schedule fires: the environments that the operator may be installed for, such as production.
    Elsewhere it is suspended. Default: everywhere."""
    punctual_firing: bool = True
    """Whether the operator starts the runs of a schedule that Kubernetes fires too, at the exact second;
    Kubernetes starts those that it has not. false leaves all to Kubernetes. Default true."""
    handler: str | None = Field(
        default=None,
        max_length=128,
        json_schema_extra=_rule(
            "self.matches('^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$')",
            "handler is the name a function is registered under: letters, digits, '_', '-' and '.', "
            "such as sync_all_portfolios",
        ),
    )
    """Name of a handler registered in the runner image. Give either handler or command."""
    args: FreeObject | None = None
    """Arguments of the handler, a JSON object; the handler checks their types at the start of each run. They
    arrive as they are written, with every `$`."""
    command: list[Annotated[str, Field(max_length=4096)]] | None = Field(
        default=None, min_length=1, max_length=256, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """Command to run instead of a handler, as a list: [program, argument, ...]. No shell is involved. As in
    every container, `$(NAME)` becomes the value of that variable and `$$` one `$`: for two write `$$$$`."""
    image: str | None = Field(default=None, min_length=1, max_length=500)
    """Container image to run instead of the shared runner image."""
    env: list[EnvVar] = Field(
        default=[],
        max_length=200,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    """Environment variables of the run."""
    env_from: list[EnvFromSource] = Field(
        default=[], max_length=50, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """ConfigMaps and Secrets of the same namespace whose keys become environment variables."""
    resources: Resources | None = None
    """CPU and memory of the run."""
    service_account_name: str | None = Field(default=None, min_length=1, max_length=253)
    """ServiceAccount of the run, in the same namespace. Its token is mounted only when this is set."""
    pod_template: PodTemplate | None = None
    """What the other fields cannot say: a PodTemplateSpec that is merged into the run's Pod, such as
    nodeSelector, tolerations, volumes or sidecars. The run's own container is named job."""
    timeout: Annotated[Duration, Between("1s", "720h")] = duration_field("24h")
    """Longest time one attempt may take. It then ends as TimedOut, with its log tail and result kept.
    Default 24h."""
    pending_timeout: Annotated[Duration, Between("10s", "24h", example="15m")] = duration_field("15m")
    """How long an attempt may wait for its container to start: for its image, a node, a quota. It then ends
    as Failed, with the reason and Kubernetes' own sentence. Default 15m."""
    grace_period: Annotated[Duration, Between("1s", "1h", example="30s")] = duration_field("30s")
    """Time between SIGTERM and SIGKILL when a run is ended early. Default 30s."""
    retry: Retry = Retry()
    """What happens after a failed attempt: another one starts, up to limit times, unless the exit code
    says that trying again cannot help. An attempt that ran into its timeout counts as failed;
    one that was evicted, drained or preempted is started again and uses up nothing."""
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.FORBID
    """What happens when a run is due while another one is active: Forbid lets it wait for the end of that
    one, for startingDeadline at most, and skips it then, or when a later one is due; Allow runs both;
    Replace ends the active one first; Queue keeps it, queueDepth of them at most, until the active one has
    ended, however long that takes. Default Forbid."""
    queue_depth: int | None = Field(default=None, ge=1, le=100)
    """With Queue: how many runs wait at most; further slots are skipped. Default 1."""
    starting_deadline: Annotated[Duration, Between("10s", "720h", example="10m")] = duration_field("10m")
    """How late a run may still start when nothing was there to start it in time; after that the slot
    is missed. Default 10m."""
    catch_up: CatchUp = CatchUp()
    """What happens to the slots that nothing started in time, after an outage of the cluster."""
    starts_at: Time | None = None
    """No slot before this time runs, such as 2026-12-24T08:00:00Z."""
    ends_at: Time | None = None
    """No slot after this time runs."""
    pause_after: PauseAfter | None = None
    """When the schedule pauses by itself. Default: never."""
    expect: Expect | None = None
    """What is expected of the runs; the condition Healthy says when it does not hold."""
    alert_on_failure: bool = True
    """Whether the alerts that come with the chart speak of this job: of failing runs, dead letters and missed
    slots. false changes nothing but that; status and Events say what happened all the same. Default true."""
    priority: Priority | None = None
    """Which run goes first when the cluster is full: critical, high, normal or low. Default: the
    cluster's own default priority. It is the Pods' PriorityClass, which Kueue goes by as well."""
    queue: str | None = Field(default=None, min_length=1, max_length=63)
    """Name of a Kueue LocalQueue of the same namespace that admits the runs. Needs Kueue."""
    history: History = History()
    """How much of the past is kept."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> "ScheduledJobSpec":
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("endsAt must be later than startsAt")
        return self

    @model_validator(mode="after")
    def _one_schedule(self) -> "ScheduledJobSpec":
        if sum(given is not None for given in (self.schedule, self.every, self.at)) > 1:
            raise ValueError("give one of schedule, every and at, or none of them to run on demand only")
        if self.queue_depth is not None and self.concurrency_policy is not ConcurrencyPolicy.QUEUE:
            raise ValueError("queueDepth is for concurrencyPolicy Queue: remove it, or write Queue")
        return self

    @model_validator(mode="after")
    def _one_thing_to_run(self) -> "ScheduledJobSpec":
        if (self.handler is None) == (self.command is None):
            raise ValueError("give either handler or command, one of them and not both")
        if self.args is not None and self.handler is None:
            raise ValueError("args are for a handler: put the arguments of a command into command itself")
        return self


SPEC_RULES = [
    {
        "rule": "!has(self.startsAt) || !has(self.endsAt) || self.startsAt < self.endsAt",
        "message": "endsAt must be later than startsAt",
    },
    {
        "rule": "[has(self.schedule), has(self.every), has(self.at)].filter(given, given).size() <= 1",
        "message": "give one of schedule, every and at, or none of them to run on demand only",
    },
    {
        "rule": "!has(self.queueDepth) || self.concurrencyPolicy == 'Queue'",
        "message": "queueDepth is for concurrencyPolicy Queue: remove it, or write Queue",
    },
    {
        "rule": "has(self.handler) || has(self.command)",
        "message": "nothing to run: give handler (a function of the runner image) or command",
    },
    {
        "rule": "!(has(self.handler) && has(self.command))",
        "message": "give either handler or command, not both",
    },
    {
        "rule": "!has(self.args) || has(self.handler)",
        "message": "args are for a handler: put the arguments of a command into command itself",
    },
]
"""Cross-field rules of the spec, in CEL, for the custom resource definition."""
