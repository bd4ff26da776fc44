"""The Go program: built once per machine and source, asked many cases at a time."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from tests.cluster.paths import cache

SOURCE = Path(__file__).parent


class OracleError(RuntimeError):
    """The oracle cannot be built or gives no answer; the text says why."""


@dataclass(frozen=True)
class Question:
    """A schedule, an IANA zone and the moment (unix seconds) after which runs are asked for."""

    expression: str
    zone: str
    after: int


@dataclass(frozen=True)
class Answer:
    """The next five runs (unix seconds; fewer when none follows within five years), or why it was refused."""

    runs: tuple[int, ...] = ()
    refusal: str = ""

    def __str__(self) -> str:
        if self.refusal:
            return f"refused: {self.refusal}"
        return (
            " ".join(datetime.fromtimestamp(run, UTC).strftime("%Y-%m-%dT%H:%MZ") for run in self.runs)
            or "never"
        )


def build() -> Path:
    """The program, built if this source was not built on this machine before."""
    digest = hashlib.sha256(
        b"".join((SOURCE / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    )
    program = cache() / "bin" / f"schedule-oracle-{digest.hexdigest()[:12]}"
    if program.exists():
        return program
    if not shutil.which("go"):
        raise OracleError(
            "Go is missing: the cron library of Kubernetes is compiled with it; install it from https://go.dev/dl/"
        )
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_name(f".{program.name}.{os.getpid()}")
    done = subprocess.run(
        ["go", "build", "-trimpath", "-mod=readonly", "-o", str(unfinished), "."],
        cwd=SOURCE,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OracleError(f"`go build` of the oracle failed:\n{done.stderr}")
    unfinished.replace(program)
    return program


def ask(program: Path, questions: Sequence[Question]) -> list[Answer]:
    """What Kubernetes would do with each, by the same time zone database that the operator uses."""
    lines = [f"{question.expression}\t{question.zone}\t{question.after}" for question in questions]
    with resources.as_file(resources.files("tzdata") / "zoneinfo") as zones:
        done = subprocess.run(
            [str(program)],
            input="\n".join([*lines, ""]),
            env={"ZONEINFO": str(zones)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    answers = [_read(line) for line in done.stdout.split("\n")[:-1]]
    if done.returncode or len(answers) != len(questions):
        raise OracleError(f"{len(questions)} questions, {len(answers)} answers: {done.stderr}")
    return answers


def _read(line: str) -> Answer:
    verdict, *rest = line.split("\t")
    return Answer(runs=tuple(map(int, rest))) if verdict == "ok" else Answer(refusal=" ".join(rest))
