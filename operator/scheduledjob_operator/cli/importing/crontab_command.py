"""The command of a crontab line: what it is called, and what cron does with its percent signs."""

import re
import shlex
from pathlib import PurePosixPath

from scheduledjob_operator.cli.importing.manifests import slug

_PERCENT = re.compile(r"(?<!\\)%")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_SEPARATORS = re.compile(r"&&|\|\||[;|&\n]")
_PREPARING = {"cd", "test", "[", "[[", "export", "source", ".", "set", "umask", "sleep", "true", "exit", ":"}
_WRAPPERS = {
    "sudo",
    "nice",
    "ionice",
    "env",
    "time",
    "timeout",
    "flock",
    "chronic",
    "nohup",
    "exec",
    "command",
}
_INTERPRETERS = re.compile(r"(python|php|perl|ruby|node|bash|sh|zsh|dash|java)[0-9.]*")
_SUFFIXES = {".sh", ".py", ".php", ".pl", ".rb", ".js", ".mjs", ".jar", ".bash"}


_WITHOUT_HERE_DOCUMENTS = {"fish", "csh", "tcsh", "rc", "es", "nu", "elvish", "xonsh", "pwsh"}
"""Shells that have none, or none behind braces."""


def has_input(text: str) -> bool:
    """Whether cron gives the command something to read."""
    return bool(_PERCENT.search(text))


def takes_here_document(shell: str) -> bool:
    """Whether the shell reads what `shell_text` writes."""
    return PurePosixPath(shell).name not in _WITHOUT_HERE_DOCUMENTS


def shell_text(text: str) -> str:
    """What the shell gets: from the first % on, a line of standard input each, as a here-document."""
    command, *lines = (part.replace("\\%", "%") for part in _PERCENT.split(text))
    if not lines:
        return command.strip()
    # cron ends the last line only where that is not done already. Source: child_process in do_command.c.
    if not lines[-1]:
        lines.pop()
    end = "STDIN"
    while end in lines:
        end += "_"
    # In braces, as standard input is that of the whole command and not of its last part.
    return "\n".join(("{ " + command.strip(), f"}} <<'{end}'", *lines, end, ""))


def name_of(command: str) -> str:
    """A name for a job, from the program that its command runs."""
    fallback = ""
    for part in _SEPARATORS.split(command):
        words = _words(part)
        program = PurePosixPath(words[0]).name if words else ""
        if program in _PREPARING:
            continue
        name = slug(_program(words))
        if name:
            return name
        fallback = fallback or slug(program)
    return fallback or "job"


def _words(part: str) -> list[str]:
    try:
        words = shlex.split(part)
    except ValueError:  # a quote that the separators have cut in two
        words = part.split()
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in {"{", "(", "!", "if", "then"}):
        words = words[1:]
    return words


def _program(words: list[str]) -> str:
    """The script where an interpreter or a wrapper stands before it, without its suffix."""
    position = 0
    while position < len(words):
        path = PurePosixPath(words[position])
        rest = words[position + 1 :]
        if path.name in _WRAPPERS:
            skipped = _skipped(path.name, rest)
        elif _INTERPRETERS.fullmatch(path.name) and "-c" not in rest and (scripts := _scripts(rest)):
            return PurePosixPath(scripts[0]).name.removesuffix(PurePosixPath(scripts[0]).suffix)
        else:
            return path.stem if path.suffix in _SUFFIXES else path.name
        position += 1 + skipped
    return ""


def _skipped(wrapper: str, rest: list[str]) -> int:
    """How many words belong to a wrapper: options, their values, its lock file or duration, assignments."""
    count = 0
    while count < len(rest) and (rest[count].startswith("-") or _ASSIGNMENT.match(rest[count])):
        takes_value = rest[count] in {"-u", "-n", "-c", "-w", "-g", "-k"} and not (
            wrapper in {"flock", "sudo"} and rest[count] == "-n"
        )
        count += 1 + takes_value
    return count + (wrapper in {"flock", "timeout"})


def _scripts(rest: list[str]) -> list[str]:
    """What an interpreter runs: a file, or the last part of a module's name."""
    if "-m" in rest[:-1]:
        return [rest[rest.index("-m") + 1].rpartition(".")[2]]
    return [word for word in rest if not word.startswith("-") and "=" not in word]
