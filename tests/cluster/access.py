"""A cluster in the hands of a test: kubectl and helm as methods, objects as dictionaries."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.binaries import binary, helm
from tests.cluster.paths import OUTPUT
from tests.waiting import wait_until


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and the administrator's access to it."""

    kubeconfig: Path
    provider: str

    @property
    def environment(self) -> dict[str, str]:
        """For programs that a test runs: KUBECONFIG, and kubectl and helm first on the PATH."""
        path = f"{OUTPUT / 'bin'}:{os.environ.get('PATH', '')}"
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002  # as subprocess names it
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl; with `check`, an error of it is an AssertionError with what it said."""
        return self._run([binary("kubectl"), *arguments], text=input, check=check)

    def helm(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run([str(helm()), *arguments], text=None, check=check)

    def _run(
        self, command: Sequence[str], *, text: str | None, check: bool
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, input=text or "", env=self.environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            shown = " ".join(command[1:])
            raise AssertionError(f"`{shown}` failed with exit code {done.returncode}: {done.stderr.strip()}")
        return done

    def get(self, *arguments: str) -> Any:
        """The object or list that `kubectl get ARGUMENTS` finds, as a dictionary."""
        return json.loads(self.kubectl("get", *arguments, "--output=json").stdout)

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects that `kubectl get ARGUMENTS` lists."""
        return list(self.get(*arguments)["items"])

    def apply(self, manifest: str | Mapping[str, Any] | Path, *, namespace: str | None = None) -> None:
        """Apply YAML text, one object or a file, as a user would (`kubectl apply`)."""
        text = manifest.read_text() if isinstance(manifest, Path) else manifest
        text = text if isinstance(text, str) else json.dumps(text)
        where = [f"--namespace={namespace}"] if namespace else []
        self.kubectl("apply", *where, "--filename=-", input=text)

    def create_namespace(self, name: str, *, labels: Mapping[str, str] | None = None) -> str:
        """Create a namespace and return its name when pods can be made in it."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        account = ("get", "serviceaccount", "default", f"--namespace={name}")
        wait_until(
            lambda: self.kubectl(*account, check=False).returncode == 0,
            describe=f"namespace {name} has its default service account",
        )
        return name
