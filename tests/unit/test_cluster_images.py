"""Images are rebuilt when, and only when, something that goes into them has changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.images import content_key, copied, inputs
from tests.cluster.release import image_values
from tests.cluster.wheelhouse import applicable, key, platforms

DOCKERFILE = """\
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
COPY --chown=65532:65532 requirements/operator.txt /src/requirements.txt
COPY pyproject.toml README.md \\
     LICENSE /src/
COPY operator/package /src/package   # the source
FROM ${BASE}
COPY --from=build /opt/venv /opt/venv
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name, content in {
        "operator/Dockerfile": DOCKERFILE,
        "operator/package/__init__.py": "",
        "operator/package/deep/module.py": "x = 1",
        "operator/notes.txt": "not copied",
        "requirements/operator.txt": "kopf==1",
        "pyproject.toml": "[project]",
        "README.md": "hello",
        "LICENSE": "Apache",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def digest(context: Path) -> str:
    return content_key(inputs(context, "operator/Dockerfile"), context=context)


def test_the_sources_of_an_image_are_what_its_dockerfile_copies_from_the_context() -> None:
    assert copied(DOCKERFILE) == [
        "requirements/operator.txt",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "operator/package",
    ]


def test_the_dockerfile_itself_and_whole_folders_are_inputs(context: Path) -> None:
    names = [str(path.relative_to(context)) for path in inputs(context, "operator/Dockerfile")]
    assert "operator/Dockerfile" in names
    assert "operator/package/deep/module.py" in names
    assert "operator/notes.txt" not in names


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda root: (root / "operator/package/deep/module.py").write_text("x = 2"), id="content"
        ),
        pytest.param(lambda root: (root / "operator/package/new.py").write_text(""), id="a new file"),
        pytest.param(lambda root: (root / "operator/package/__init__.py").unlink(), id="a file gone"),
        pytest.param(lambda root: (root / "requirements/operator.txt").write_text("kopf==2"), id="the lock"),
        pytest.param(lambda root: (root / "operator/package/deep/module.py").chmod(0o755), id="executable"),
        pytest.param(
            lambda root: (root / "operator/package/deep").rename(root / "operator/package/other"),
            id="renamed",
        ),
    ],
)
def test_a_change_of_an_input_makes_a_new_image(context: Path, change: Callable[[Path], object]) -> None:
    before = digest(context)
    change(context)
    assert digest(context) != before


def test_compiled_python_and_files_beside_the_inputs_change_nothing(context: Path) -> None:
    before = digest(context)
    (context / "operator/package/__pycache__").mkdir()
    (context / "operator/package/__pycache__/module.pyc").write_bytes(b"1")
    (context / "operator/notes.txt").write_text("changed")
    assert digest(context) == before


def test_the_same_content_elsewhere_is_the_same_image(
    context: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clone = tmp_path_factory.mktemp("clone") / "other"
    context.rename(clone)
    before = digest(clone)
    clone.rename(context)
    assert digest(context) == before


def test_what_is_not_a_file_counts_too() -> None:
    assert content_key([], context=Path(), extra=["base-1"]) != content_key(
        [], context=Path(), extra=["base-2"]
    )


LOCK = """\
# made by a tool
aiohttp==3.14.5 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via kopf
async-timeout==5.0 ; python_full_version < '3.12' \\
    --hash=sha256:cc
colorama==0.4 ; sys_platform == 'win32' \\
    --hash=sha256:dd
pyyaml==6.0 ; python_version >= '3.13' \\
    --hash=sha256:ee
"""


def test_of_a_universal_lock_only_what_the_images_python_needs_is_fetched() -> None:
    assert applicable(LOCK, python="3.13.5").splitlines() == [
        "aiohttp==3.14.5 \\",
        "    --hash=sha256:aa \\",
        "    --hash=sha256:bb",
        "pyyaml==6.0 \\",
        "    --hash=sha256:ee",
    ]


def test_an_older_python_gets_what_only_it_needs() -> None:
    wanted = applicable(LOCK, python="3.11.2")
    assert "async-timeout==5.0" in wanted
    assert "pyyaml" not in wanted


def test_wheels_are_fetched_again_for_another_lock_python_or_build_tool() -> None:
    keys = {
        key(LOCK, build=["hatchling==1"], python="3.13.5"),
        key(LOCK + "\n", build=["hatchling==1"], python="3.13.5"),
        key(LOCK, build=["hatchling==2"], python="3.13.5"),
        key(LOCK, build=["hatchling==1"], python="3.14.0"),
    }
    assert len(keys) == 4


def test_wheels_for_an_older_glibc_fit_and_those_for_a_newer_one_do_not() -> None:
    tags = platforms("x86_64")
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_28_x86_64"} <= set(tags)
    assert "manylinux_2_99_x86_64" not in tags


@pytest.mark.parametrize(
    ("name", "registry", "repository", "tag"),
    [
        ("scheduledjob.dev/operator:dev", "scheduledjob.dev", "operator", "dev"),
        ("host:5000/a/b/operator:1.2", "host:5000", "a/b/operator", "1.2"),
    ],
)
def test_an_image_name_becomes_the_charts_values(name: str, registry: str, repository: str, tag: str) -> None:
    assert image_values("image", name) == {
        "image.registry": registry,
        "image.repository": repository,
        "image.tag": tag,
    }
