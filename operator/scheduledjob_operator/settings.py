"""What an installation sets, by environment variables that begin with SCHEDULEDJOB_OPERATOR_."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from scheduledjob_operator.desired import RunnerDefaults

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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""
    log_format: Literal["json", "text"] = "json"
    """Form of the log lines."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port of /livez, /readyz and /metrics."""
    connections: int = Field(default=8, ge=1, le=100)
    """Most requests to the API server at the same time, beside the watches."""

    @field_validator("watch_namespaces", "runner_image_pull_secrets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def runner_defaults(self) -> RunnerDefaults:
        return RunnerDefaults(
            image=self.runner_image,
            image_pull_policy=self.runner_image_pull_policy,
            image_pull_secrets=self.runner_image_pull_secrets,
            priority_class_prefix=self.priority_class_prefix,
        )
