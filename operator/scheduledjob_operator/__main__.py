"""Run the operator: `python -m scheduledjob_operator`."""

import asyncio
import logging
import os
import sys
from typing import Any

import kopf
from pydantic import ValidationError
from pythonjsonlogger.json import JsonFormatter

from scheduledjob_operator.handlers import register
from scheduledjob_operator.settings import Settings


def configure_logging(settings: Settings) -> None:
    """Log lines on standard error, as JSON objects or as text."""
    handler = logging.StreamHandler()
    if settings.log_format == "json":
        fields = ["asctime", "levelname", "name", "message"]
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        handler.setFormatter(JsonFormatter(fields, rename_fields=names, style="%"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    # At DEBUG kopf logs whole objects, and with them everything that is in their env.
    logging.getLogger("kopf").setLevel(max(logging.INFO, logging.getLogger().level))
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)


def main() -> None:
    """Read the settings and run until SIGTERM."""
    try:
        settings = Settings()
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in detail["loc"]).upper()
            sys.stderr.write(f"SCHEDULEDJOB_OPERATOR_{name}: {detail['msg']}\n")
        sys.exit(78)
    configure_logging(settings)
    # kopf would ask for the user's name, which uid 65532 has not; its type for it is not public.
    identity: Any = os.environ.get("HOSTNAME", "local")
    registry = kopf.OperatorRegistry()
    register(registry, settings=settings)
    asyncio.run(
        kopf.operator(
            registry=registry,
            clusterwide=not settings.watch_namespaces,
            namespaces=list(settings.watch_namespaces),
            standalone=True,
            identity=identity,
        )
    )


if __name__ == "__main__":
    main()
