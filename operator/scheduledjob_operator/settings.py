"""What an installation sets, by environment variables that begin with SCHEDULEDJOB_OPERATOR_."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.pod_template import RunnerDefaults
from scheduledjob_operator.suspension import Switch, shortened

Names = Annotated[tuple[str, ...], NoDecode]
"""Names in a comma-separated list."""


class Settings(BaseSettings):
    """The operator's settings."""

    model_config = SettingsConfigDict(
        env_prefix="SCHEDULEDJOB_OPERATOR_", frozen=True, use_attribute_docstrings=True
    )

    runner_image: str = "ghcr.io/scheduledjob/job-runner:0.1.0"
    """Image of the runs that name none."""
    runner_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When that image is pulled."""
    runner_image_pull_secrets: Names = ()
    """Pull secrets of that image; they must exist in the namespaces of the runs."""
    watch_namespaces: Names = ()
    """Namespaces to look after; empty: all of them."""
    priority_class_prefix: str = "scheduledjob-"
    """What the names of the priority classes begin with."""
    suspended: bool = False
    """Whether nothing starts in any namespace that is looked after: the master switch."""
    suspended_reason: str = ""
    """Why; it stands in the status of every ScheduledJob."""
    suspended_until: datetime | None = None
    """When the switch turns itself off, with its zone; empty: never."""
    environment: str = ""
    """The environment that this installation is for; a ScheduledJob may name those in which it fires."""
    punctual_firing: bool = True
    """Whether the Jobs of CronJobs are started at the exact second, Kubernetes' controller being the net."""
    lease_namespace: str = ""
    """Namespace of the Lease that lets only one of several replicas act; empty: there is one only."""
    lease_name: str = "scheduledjob-operator"
    """Name of that Lease."""
    identity: str = ""
    """The replica's own name, which is the Pod's; empty: the host's."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""
    log_format: Literal["json", "text"] = "json"
    """Form of the log lines."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port of /livez, /readyz, /health and /metrics."""
    connections: int = Field(default=8, ge=1, le=100)
    """Most requests to the API server at the same time, beside the watches."""

    @field_validator("watch_namespaces", "runner_image_pull_secrets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("suspended_until", mode="before")
    @classmethod
    def _moment(cls, value: object) -> datetime | None:
        return None if value is None or value == "" else parse_time(value)

    @property
    def switch(self) -> Switch | None:
        """The operator's own master switch, if it is set; its time may be past."""
        if not self.suspended:
            return None
        return Switch(reason=shortened(self.suspended_reason), until=self.suspended_until, everywhere=True)

    @property
    def runner_defaults(self) -> RunnerDefaults:
        return RunnerDefaults(
            image=self.runner_image,
            image_pull_policy=self.runner_image_pull_policy,
            image_pull_secrets=self.runner_image_pull_secrets,
            priority_class_prefix=self.priority_class_prefix,
        )
