"""Handler files of the examples, loaded into the process of the tests: one per run takes half a second."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest


@cache
def function_of(file: Path) -> Callable[..., Any]:
    """The function of a handler file that is named as the file is.

    Helpers beside the file are its own: other examples have some of the same name.
    """
    spec = importlib.util.spec_from_file_location(f"{file.parents[1].name}.{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    helpers = [path.stem for path in file.parent.glob("_*.py")]
    with pytest.MonkeyPatch.context() as imports:
        imports.syspath_prepend(file.parent)
        for name in helpers:
            imports.delitem(sys.modules, name, raising=False)
        spec.loader.exec_module(module)
        for name in helpers:
            imports.delitem(sys.modules, name, raising=False)
    function: Callable[..., Any] = getattr(module, file.stem)
    return function
