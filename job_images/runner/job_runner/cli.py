"""The command line: `python -m job_runner list | generate | run NAME`.

argparse, because the start of every run waits for this module: click takes five times as long to import.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import NoReturn

from job_runner.discovery import folders_of, load_all
from job_runner.durations import seconds_of
from job_runner.errors import ConfigurationError, ExitCode, UsageError
from job_runner.process import run_process
from job_runner.redaction import Redactor, environment_values


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit with the code of sysexits.h instead of argparse's 2."""
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str], environment: Mapping[str, str], *, started: float) -> int:
    """Run the command; answers the exit code. started: time.monotonic() when the process began."""
    parser = _command_line()
    options = parser.parse_args(arguments)
    if options.handlers is not None:
        environment = {**environment, "SCHEDULEDJOB_HANDLERS_PATH": options.handlers}
    if options.command == "list":
        return _list(environment, json=options.output == "json")
    if options.command == "generate":
        return _generate(environment, namespace=options.namespace)
    try:
        text = _arguments(options.args)
        timeout = None if options.timeout is None else seconds_of(options.timeout)
    except UsageError as error:
        parser.error(str(error))
    return run_process(options.name, environment, arguments=text, timeout=timeout, started=started)


def _command_line() -> _Parser:
    parser = _Parser(prog="python -m job_runner", description="Runs the handlers of scheduled jobs.")
    shared = _Parser(add_help=False)
    shared.add_argument(
        "--handlers", metavar="PATH", help="folder(s) of handler files [SCHEDULEDJOB_HANDLERS_PATH]"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | generate | run")
    listing = commands.add_parser("list", parents=[shared], help="show the handlers this image has")
    listing.add_argument("-o", "--output", choices=["table", "json"], default="table", help="default: table")
    generating = commands.add_parser(
        "generate", parents=[shared], help="print ScheduledJobs for the handlers that have a schedule"
    )
    generating.add_argument("-n", "--namespace", metavar="NAME", type=_namespace, help="where they are to be")
    run = commands.add_parser("run", parents=[shared], help="run one handler, here and now")
    run.add_argument("name", help="the handler's name")
    run.add_argument("--args", metavar="JSON", help="its arguments, or @file with them [SCHEDULEDJOB_ARGS]")
    run.add_argument("--timeout", metavar="DURATION", help="such as 30s or 5m [SCHEDULEDJOB_TIMEOUT_SECONDS]")
    return parser


def _namespace(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no namespace: write lower-case letters, digits and '-', 63 at most"
        )
    return text


def _arguments(text: str | None) -> str | None:
    if text is None or not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file of --args cannot be read: {error}") from error


def _list(environment: Mapping[str, str], *, json: bool) -> int:
    from job_runner import listing  # noqa: PLC0415  (a run does not wait for it)

    redact = Redactor(environment_values(environment))
    try:
        broken = load_all(folders_of(environment.get("SCHEDULEDJOB_HANDLERS_PATH")))
    except ConfigurationError as error:
        print(redact(str(error)), file=sys.stderr)
        return error.exit_code
    print(redact(listing.as_json(broken) if json else listing.as_table(broken)))
    return ExitCode.OK


def _generate(environment: Mapping[str, str], *, namespace: str | None) -> int:
    from job_runner import manifests  # noqa: PLC0415  (as for the list)

    redact = Redactor(environment_values(environment))
    try:
        with redirect_stdout(sys.stderr):  # what handler files print is no manifest
            broken = load_all(folders_of(environment.get("SCHEDULEDJOB_HANDLERS_PATH")))
        text = manifests.as_yaml(broken, namespace=namespace)
    except ConfigurationError as error:
        print(redact(str(error)), file=sys.stderr)
        return error.exit_code
    for remark in manifests.remarks():
        print(redact(remark), file=sys.stderr)
    # Not redacted: cron(os.environ["..."]) is a fine way to give each place its own schedule.
    print(text, end="")
    return ExitCode.OK
