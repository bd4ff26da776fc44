"""The table of values in the chart's README, made from the `# --` comments of values.yaml.

`python -m tests.chart.values_table --write` brings the README up to date.
"""

import json
import sys
from typing import Any

import yaml

from tests.chart.rendering import CHART

README = CHART / "README.md"
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"


def described_values() -> dict[str, tuple[Any, str]]:
    """Dotted path of every value with a `# --` comment -> its default and that comment."""
    found: dict[str, tuple[Any, str]] = {}
    parents: list[str] = []
    comment: list[str] | None = None
    text = (CHART / "values.yaml").read_text()
    defaults = yaml.safe_load(text)
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("# -- "):
            comment = [words.removeprefix("# -- ")]
        elif words.startswith("# ") and comment:
            comment.append(words.removeprefix("# "))
        elif ":" in words and not words.startswith("#"):
            depth = (len(line) - len(line.lstrip())) // 2
            parents = [*parents[:depth], words.split(":")[0]]
            if comment:
                path = ".".join(parents)
                found[path] = (_at(defaults, path=parents), " ".join(comment))
            comment = None
    return found


def _at(tree: Any, *, path: list[str]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def table() -> str:
    """The Markdown table."""
    rows = ["| value | default | |", "|---|---|---|"]
    rows += [
        f"| `{path}` | `{json.dumps(default)}` | {comment.replace('|', '&#124;')} |"
        for path, (default, comment) in described_values().items()
    ]
    return "\n".join(rows)


def readme_with(fresh: str) -> str:
    """The README's text with that table in its place."""
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{fresh}\n{END}{after}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        README.write_text(readme_with(table()))
    else:
        sys.stdout.write(table() + "\n")
