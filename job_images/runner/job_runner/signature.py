"""What a handler function wants to be called with, read from its signature when it is registered."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, get_args, get_origin

from job_runner.context import Context
from job_runner.errors import ConfigurationError

HandlerFunction: TypeAlias = Callable[..., Any]

WHOLE = "args"
"""A parameter of this name takes all the arguments as one value, such as a pydantic model."""

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Argument:
    """One parameter that the arguments fill. default: `inspect.Parameter.empty` when there is none."""

    annotation: Any
    default: Any

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Signature:
    """context: name of the parameter that takes the Context, if any; arguments: the others, by name."""

    context: str | None
    arguments: Mapping[str, Argument]

    @property
    def whole(self) -> bool:
        """Whether one parameter takes all the arguments."""
        return WHOLE in self.arguments

    def described(self) -> list[str]:
        """Each argument as it would be written in Python: `batch: int = 100`."""
        return [_described(name, argument) for name, argument in self.arguments.items()]


def signature_of(function: HandlerFunction, *, local_names: Mapping[str, Any] | None = None) -> Signature:
    """Read the signature; raises ConfigurationError with a sentence for what cannot be called by name."""
    if not inspect.isroutine(function):
        raise ConfigurationError("a handler is a function")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError("a handler returns its result: it cannot yield")
    context: str | None = None
    arguments: dict[str, Argument] = {}
    for parameter in _parameters(function, local_names):
        if parameter.annotation is Context:
            if context is not None:
                raise ConfigurationError(
                    f"both {context!r} and {parameter.name!r} take the Context: keep one"
                )
            context = parameter.name
            if parameter.kind not in _BY_NAME:
                raise ConfigurationError(f"parameter {parameter.name!r} cannot be passed by name")
        else:
            arguments[parameter.name] = _argument(parameter)
    if WHOLE in arguments and len(arguments) > 1:
        others = ", ".join(repr(name) for name in arguments if name != WHOLE)
        raise ConfigurationError(f"'args' takes all the arguments: move {others} into it, or rename it")
    return Signature(context=context, arguments=arguments)


def _parameters(function: HandlerFunction, local_names: Mapping[str, Any] | None) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, locals=dict(local_names or {}), eval_str=True)
    except Exception as error:
        raise ConfigurationError(f"its annotations cannot be read: {error}") from error
    return list(signature.parameters.values())


def _argument(parameter: inspect.Parameter) -> Argument:
    name = parameter.name
    if parameter.kind not in _BY_NAME:
        raise ConfigurationError(f"parameter {str(parameter)!r} has no name of its own to be passed by")
    if name.startswith("_"):
        raise ConfigurationError(f"parameter {name!r} may not start with an underscore")
    if parameter.annotation is inspect.Parameter.empty:
        raise ConfigurationError(f"parameter {name!r} has no annotation: write for instance {name}: int")
    return Argument(annotation=parameter.annotation, default=parameter.default)


def _described(name: str, argument: Argument) -> str:
    annotation = argument.annotation
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    text = f"{name}: {inspect.formatannotation(annotation).replace('typing.', '')}"
    return text if argument.required else f"{text} = {argument.default!r}"
