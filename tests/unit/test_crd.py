"""The custom resource definition: generated, bounded, and explained field by field."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduledjob_operator import names
from scheduledjob_operator.crd import custom_resource_definition, main, render

REPOSITORY = Path(__file__).resolve().parents[2]
COMMITTED = REPOSITORY / "crds" / "scheduledjobs.yaml"
IN_THE_CHART = REPOSITORY / "charts" / "scheduledjob-operator" / "files" / "scheduledjobs.yaml"

Schema = dict[str, Any]


def root() -> Schema:
    (version,) = custom_resource_definition()["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: Schema, *, path: str) -> Iterator[tuple[str, Schema]]:
    """(path, schema) of everything that a value may be, root included."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, path=f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], path=f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], path=f"{path}{{}}")


NODES = [found for part in ("spec", "status") for found in nodes(root()["properties"][part], path=part)]
FIELDS = [(path, schema) for path, schema in NODES if not path.endswith(("[]", "{}"))]


def keywords(schema: Any) -> Iterator[str]:
    """Names of all keywords of a schema; names of fields are none."""
    if isinstance(schema, list):
        for item in schema:
            yield from keywords(item)
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key
            if key == "properties":
                for child in value.values():
                    yield from keywords(child)
            elif key not in ("default", "enum"):
                yield from keywords(value)


@pytest.mark.parametrize("path", [COMMITTED, IN_THE_CHART], ids=["crds", "chart"])
def test_the_committed_definition_is_what_the_models_say(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == render(), "run `make crds`"


def test_the_definition_is_written_to_every_path_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    monkeypatch.setattr(sys, "argv", ["crd", *map(str, paths)])
    main()
    assert [path.read_text(encoding="utf-8") for path in paths] == [render(), render()]


def test_the_text_is_the_definition_and_has_no_anchors() -> None:
    assert yaml.safe_load(render()) == custom_resource_definition()
    assert "&id" not in render()
    assert "*id" not in render()


@pytest.mark.parametrize("keyword", ["$ref", "$defs", "title", "const", "exclusiveMinimum", "nullable"])
def test_the_schema_is_structural(keyword: str) -> None:
    assert keyword not in set(keywords(root()))


def test_no_field_may_be_null() -> None:
    assert {"type": "null"} not in [schema for _, schema in NODES]
    assert "null" not in {schema.get("type") for _, schema in NODES}


@pytest.mark.parametrize(("path", "schema"), NODES, ids=[path for path, _ in NODES])
def test_every_value_has_a_type(path: str, schema: Schema) -> None:
    untyped = "x-kubernetes-preserve-unknown-fields" in schema or "x-kubernetes-int-or-string" in schema
    assert "type" in schema or untyped


@pytest.mark.parametrize(("path", "schema"), FIELDS, ids=[path for path, _ in FIELDS])
def test_every_field_has_a_description(path: str, schema: Schema) -> None:
    description = schema.get("description", "")
    assert description[:1].isupper() or description.startswith("1 for"), path
    assert description.endswith((".", "?", "..."))
    assert "  " not in description
    assert "\n" not in description


@pytest.mark.parametrize(("path", "schema"), NODES, ids=[path for path, _ in NODES])
def test_every_text_list_and_map_is_bounded(path: str, schema: Schema) -> None:
    match schema.get("type"):
        case "string":
            assert {"maxLength", "enum", "format"} & schema.keys()
        case "array":
            assert "maxItems" in schema
        case "object" if "additionalProperties" in schema:
            assert "maxProperties" in schema
        case None if "x-kubernetes-int-or-string" in schema:
            assert "maxLength" in schema


@pytest.mark.parametrize(
    ("path", "schema"),
    [(path, schema) for path, schema in NODES if schema.get("type") == "array" and "podTemplate" not in path],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_list_says_how_it_is_merged(path: str, schema: Schema) -> None:
    assert schema["x-kubernetes-list-type"] in ("atomic", "set", "map")
    assert ("x-kubernetes-list-map-keys" in schema) == (schema["x-kubernetes-list-type"] == "map")


def test_every_rule_says_in_a_sentence_what_to_write_instead() -> None:
    found = [
        rule for _, schema in [*NODES, ("", root())] for rule in schema.get("x-kubernetes-validations", [])
    ]
    assert len(found) >= 8
    for rule in found:
        assert len(rule["message"].split()) >= 6, rule
        assert "\n" not in rule["message"]


def test_an_empty_status_is_not_ready_for_kstatus() -> None:
    assert root()["properties"]["status"]["default"] == {"observedGeneration": -1}


def test_nothing_but_that_is_defaulted_in_the_status() -> None:
    status = {key: value for key, value in root()["properties"]["status"].items() if key != "default"}
    assert "default" not in set(keywords(status))


def test_a_default_is_a_value_that_the_schema_allows() -> None:
    for path, schema in NODES:
        if "default" in schema and "enum" in schema:
            assert schema["default"] in schema["enum"], path


def test_what_kubectl_shows_needs_no_more_than_one_line() -> None:
    (version,) = custom_resource_definition()["spec"]["versions"]
    columns = {column["name"]: column for column in version["additionalPrinterColumns"]}
    narrow = [name for name, column in columns.items() if not column.get("priority")]
    assert narrow == [
        "Schedule", "Enabled", "Suspended", "Active", "Last Result", "Last Run", "Next Run", "Age",
    ]  # fmt: skip
    assert columns["Next Run"]["type"] == "string", "a date in the future is shown as <invalid>"
    assert version["subresources"] == {"status": {}}


def test_it_is_found_by_its_short_name_and_among_all() -> None:
    definition = custom_resource_definition()
    assert definition["metadata"]["name"] == "scheduledjobs.scheduledjob.dev"
    assert definition["spec"]["names"]["shortNames"] == ["sj"]
    assert definition["spec"]["names"]["categories"] == ["all"]
    assert definition["spec"]["scope"] == "Namespaced"


def test_a_name_that_is_too_long_for_a_cron_job_is_refused() -> None:
    (rule,) = root()["x-kubernetes-validations"]
    assert rule["rule"] == f"size(self.metadata.name) <= {names.MAX_NAME_LENGTH}"


def test_the_operator_folder_does_not_shadow_the_standard_library() -> None:
    assert not (REPOSITORY / "operator" / "__init__.py").exists()
    import operator  # noqa: PLC0415  # the import is what is tested

    assert operator.add(1, 2) == 3
