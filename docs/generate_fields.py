"""Write docs/fields.md from the custom resource definition: `python docs/generate_fields.py`."""

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DEFINITION = ROOT / "crds" / "scheduledjobs.yaml"
PAGE = ROOT / "docs" / "fields.md"

HEAD = """# Fields

Generated from the custom resource definition by `make crds`; `kubectl explain scheduledjob.spec` says
the same.
"""


def rows(schema: dict[str, Any], *, path: str = "") -> list[str]:
    """Table rows of all fields below `schema`, depth first, in the order of the definition."""
    result: list[str] = []
    for name, field in (schema.get("properties") or {}).items():
        where = f"{path}.{name}" if path else name
        kind, inner = _kind(field)
        default = field.get("default")
        shown = f"`{_plain(default)}`" if default is not None and not isinstance(default, dict) else ""
        required = " **required**" if name in schema.get("required", ()) else ""
        description = field.get("description", "").replace("|", "\\|")
        result.append(f"| `{where}` | {kind}{required} | {shown} | {description}{_bounds(field)} |")
        result += rows(inner, path=f"{where}[]" if field.get("type") == "array" else where)
    return result


def _kind(field: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if field.get("type") == "array":
        items = field["items"]
        return f"list of {items.get('type', 'any')}s", items
    if field.get("format") == "date-time":
        return "time", {}
    if field.get("enum"):
        return " \\| ".join(str(value) for value in field["enum"]), {}
    return field.get("type", "any JSON"), field


def _bounds(field: dict[str, Any]) -> str:
    parts = [f"{field[low]} to {field[high]}" for low, high in (("minimum", "maximum"),) if high in field]
    return f" ({'; '.join(parts)})" if parts else ""


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def page() -> str:
    """The whole page."""
    definition = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    lines = [HEAD]
    for part in ("spec", "status"):
        lines += [f"## {part}", "", schema["properties"][part]["description"], ""]
        lines += ["| field | type | default | meaning |", "|---|---|---|---|"]
        lines += [*rows(schema["properties"][part]), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} written\n")
