"""Finds handlers: in folders of files, and behind entry points of installed distributions.

What is broken is reported and does not hide the rest.
"""

import importlib.util
import logging
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from job_runner.errors import ConfigurationError, UnknownHandler
from job_runner.failures import first_line
from job_runner.registry import REGISTRY, Handler

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "job_runner.handlers"
"""Group of the entry points. Each one's name is the handler's, its value `package.module:function`."""

DEFAULT_FOLDER = "/handlers"

_LOG = logging.getLogger(__name__)
_REGISTRATION = re.compile(r"""job_handler\(\s*(?:name\s*=\s*)?["']([^"']+)["']""")


@dataclass(frozen=True)
class Broken:
    """A file or an entry point that could not be loaded, and the handlers that are missed for it."""

    where: str
    error: str
    names: frozenset[str]


def folders_of(setting: str | None) -> list[Path]:
    """The folders to search; for None the default one, if it is there. Raises ConfigurationError."""
    if setting is None:
        return [Path(DEFAULT_FOLDER)] if Path(DEFAULT_FOLDER).is_dir() else []
    folders = [Path(part).absolute() for part in setting.split(os.pathsep) if part]
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError(f"{folder} of SCHEDULEDJOB_HANDLERS_PATH is not a folder")
    return folders


def load_all(folders: Iterable[Path]) -> list[Broken]:
    """Register every handler there is. Raises ConfigurationError for a folder that cannot be read."""
    broken = load_folders(folders)
    for entry_point in _entry_points():
        broken += _load_entry_point(entry_point)
    return broken


def find(name: str, folders: Iterable[Path]) -> Handler:
    """The handler `name`, loading the folders' files but only the entry points that may lead to it.

    Raises UnknownHandler, or ConfigurationError when the handler's file is broken or its name is used twice.
    """
    broken = load_folders(folders)
    entry_points = [point for point in _entry_points() if not (name in REGISTRY and _is_built_in(point))]
    for entry_point in (point for point in entry_points if point.name == name):
        broken += _load_entry_point(entry_point)
    guilty = [one for one in broken if name in one.names]
    if (
        name not in REGISTRY and not guilty
    ):  # an entry point may register handlers under other names than its own
        for entry_point in (point for point in entry_points if point.name != name):
            broken += _load_entry_point(entry_point)
        guilty = [one for one in broken if name in one.names]
    for one in broken:
        _LOG.warning("not loaded: %s: %s", one.where, one.error)
    if name not in REGISTRY and guilty:
        raise ConfigurationError(
            f"handler {name!r} is in {guilty[0].where}, which is broken: {guilty[0].error}"
        )
    try:
        return REGISTRY.get(name)
    except UnknownHandler as error:
        lost = "; ".join(f"{one.where}: {one.error}" for one in broken)
        raise UnknownHandler(f"{error}; not loaded: {lost}" if lost else str(error)) from None


def load_folders(folders: Iterable[Path]) -> list[Broken]:
    """Run every `*.py` file of the folders, by name, but none that begins with `_` or `.`.

    Sub-folders are not searched. The folders come last on sys.path, so that handlers can share modules of
    their own and no file of theirs stands in for a library of the same name.
    """
    broken: list[Broken] = []
    for number, folder in enumerate(folders, start=1):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        try:
            files = sorted(
                path for path in folder.iterdir() if path.suffix == ".py" and path.name[0] not in "_."
            )
        except OSError as error:
            raise ConfigurationError(f"folder {folder} cannot be read: {error.strerror}") from error
        for file in files:
            broken += _load_file(file, folder_number=number)
    return broken


def _load_file(file: Path, *, folder_number: int) -> list[Broken]:
    known = set(REGISTRY)
    module_name = file.stem
    if not _is_importable_as(module_name, file):  # there is a library of this name: it keeps the name
        module_name = f"{file.stem.replace('.', '_')}__{folder_number}"
    if module_name in sys.modules:
        return []  # another handler file has imported it
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever it is, the other files are to load)
        sys.modules.pop(module_name, None)
        names = {*REGISTRY.remove_file(str(file)), *_names_in(file)}
        return [Broken(where=str(file), error=_error(error, str(file)), names=frozenset(names))]
    REGISTRY.mark(known, source=str(file.parent))
    return []


def _is_importable_as(name: str, file: Path) -> bool:
    """Whether `import name` finds this very file, now that its folder is on sys.path."""
    if "." in name:
        return False
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:
        return False
    return spec is not None and spec.origin == str(file)


def _entry_points() -> list["EntryPoint"]:
    from importlib.metadata import entry_points  # noqa: PLC0415  (30 ms, needed for a run but not for a test)

    return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: (point.name, point.value))


def _is_built_in(entry_point: "EntryPoint") -> bool:
    return entry_point.value.startswith("job_runner.handlers.")


def _load_entry_point(entry_point: "EntryPoint") -> list[Broken]:
    known = set(REGISTRY)
    distribution = entry_point.dist.name if entry_point.dist else "an unknown distribution"
    try:
        entry_point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  (as for files)
        where = f"entry point {entry_point.name} of {distribution}"
        return [Broken(where=where, error=_error(error, ""), names=frozenset({entry_point.name}))]
    REGISTRY.mark(known, source=distribution)
    return []


def _names_in(file: Path) -> list[str]:
    """The handlers that a file which cannot be run seems to register."""
    try:
        return [file.stem, *_REGISTRATION.findall(file.read_text(encoding="utf-8", errors="replace"))]
    except OSError:
        return [file.stem]


def _error(error: BaseException, file: str) -> str:
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} (line {error.lineno})"
    line = _line_in(error.__traceback__, file)
    return f"{first_line(error)} (line {line})" if line else first_line(error)


def _line_in(trace: TracebackType | None, file: str) -> int | None:
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
