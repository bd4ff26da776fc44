"""Comments of a crontab: some are jobs that somebody has switched off, and most are prose."""

import re

_COMMENT = re.compile(r"#[#\s]*")
_BEGINNING = re.compile(r"-?[@*0-9]")
_EXAMPLES = ("command to be executed", "tar -zcf /var/backups/home.tgz /home/")
"""Of the comments that distributions put into every crontab."""
_PLACEHOLDER = re.compile(r"<\w[\w -]*>")
_PATH = re.compile(r"[\"']?(?:\.{0,2}/|~/|\$)\S")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=\S*\s+")
_SCRIPT = re.compile(r"[\w.-]+\.(?:sh|bash|py|php|pl|rb|js|mjs|jar)")
_PROGRAM = re.compile(
    r"awk|bash|cd|certbot|chronic|cp|curl|docker|echo|env|find|flock|git|ionice|java|kubectl|logrotate|mail|make|"
    r"mv|mysql|mysqldump|nice|node|npm|perl|pg_dump|php|psql|python[0-9.]*|rclone|rm|rsync|ruby|run-parts|scp|sh|"
    r"sleep|ssh|sudo|systemctl|tar|test|timeout|touch|wget|\[\[?"
)
_OF_A_SHELL = re.compile(r"(?:^|\s)-\w|/|=|\$|\||>|\w[.:]\w|&&")
"""What prose does not have."""


def job_in(comment: str) -> str | None:
    """The line of a crontab that a comment may be, as far as one sees from its beginning."""
    line = _COMMENT.sub("", comment, count=1)
    return line if _BEGINNING.match(line) and not line.endswith(_EXAMPLES) else None


def looks_like_command(text: str) -> bool:
    """Whether it can only be a command: a path, a script, or a program with what only a shell understands."""
    while match := _ASSIGNMENT.match(text):
        text = text[match.end() :]
    if _PLACEHOLDER.search(text):
        return False
    if _PATH.match(text):
        return True
    program, _, rest = text.partition(" ")
    if _SCRIPT.fullmatch(program):
        return True
    return bool(_PROGRAM.fullmatch(program)) and bool(_OF_A_SHELL.search(rest))
