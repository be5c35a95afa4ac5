"""What does a description's file say, and where does it break the rules of its model?

Every fault of a file is said in one sentence with the file, the key, the rule and the next step.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gisgrid.errors import CatalogueError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path
        The file, UTF-8.

    Returns
    -------
    dict
        What it says.

    Raises
    ------
    CatalogueError
        There is no such file, it is not UTF-8, or it is not TOML.
    """
    text = _read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(
            f"{path} is not TOML: {error}; mend that line (words stand in double quotes)"
        ) from error


def read_json(path: Path) -> object:
    """Read a JSON file.

    Parameters
    ----------
    path
        The file, UTF-8.

    Returns
    -------
    object
        What it says.

    Raises
    ------
    CatalogueError
        There is no such file, it is not UTF-8, or it is not JSON.
    """
    text = _read_text(path)
    try:
        said: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise CatalogueError(f"{path} is not JSON: {error}; mend that line") from error
    return said


def validate(
    model: type[Model],
    raw: Mapping[str, Any],
    *,
    where: str,
    not_in_file: Mapping[str, Any] | None = None,
) -> Model:
    """Turn what a file says into a value, or list every rule that it breaks.

    Parameters
    ----------
    model
        What the file should describe.
    raw
        What the file says.
    where
        The file, for the sentences.
    not_in_file
        Keys of the model that come from elsewhere and may not stand in this file.

    Returns
    -------
    Model
        The value.

    Raises
    ------
    CatalogueError
        One sentence per broken rule, one per line.
    """
    given = dict(not_in_file or {})
    clashes = [
        _unknown_key(where, key, (), model, hidden=set(given)) for key in raw if key in given
    ]
    try:
        value = model.model_validate({**raw, **given})
    except ValidationError as error:
        clashes += _sentences(error.errors(), model, where=where, hidden=set(given))
    else:
        if not clashes:
            return value
    raise CatalogueError("\n".join(clashes)) from None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CatalogueError(
            f"there is no file {str(path)!r}; write it, or check the folder"
        ) from None
    except UnicodeDecodeError as error:
        raise CatalogueError(
            f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8 (not GBK)"
        ) from error


def _sentences(
    errors: list[ErrorDetails], model: type[BaseModel], *, where: str, hidden: set[str]
) -> Iterator[str]:
    unknown = {error["loc"] for error in errors if error["type"] == "extra_forbidden"}
    for error in errors:
        *parents, key = error["loc"] or ("",)
        name = _dotted(error["loc"])
        match error["type"]:
            case "extra_forbidden":
                yield _unknown_key(where, name, tuple(parents), model, hidden=hidden)
            case "missing":
                siblings = [loc[-1] for loc in unknown if loc[:-1] == tuple(parents)]
                if not any(
                    f"{key!r}?" in did_you_mean(str(s), _keys(model, parents)) for s in siblings
                ):
                    yield f"{where} lacks the key {name!r} that is needed there; add it"
            case "literal_error":
                allowed = str(error.get("ctx", {}).get("expected", ""))
                choices = [word.strip(" '") for word in allowed.replace(" or ", ", ").split(",")]
                hint = did_you_mean(str(error["input"]), choices)
                rule = "" if hint.startswith("; there are") else f" (one of {', '.join(choices)})"
                yield f"{where} has {name} = {error['input']!r}, which is no choice there{rule}{hint}"
            case _:
                yield f"{where} has {name} = {error['input']!r} but {_rule(error)}; change the value"


def _unknown_key(
    where: str,
    name: str,
    parents: tuple[int | str, ...],
    model: type[BaseModel],
    *,
    hidden: set[str],
) -> str:
    key = name.rpartition(".")[2]
    known = _keys(model, parents) - (hidden if not parents else set())
    return f"{where} has the key {name!r} that no rule knows{did_you_mean(key, known)}"


def _keys(model: type[BaseModel], parents: tuple[int | str, ...] | list[int | str]) -> set[str]:
    at: type[BaseModel] = model
    for part in parents:
        field = at.model_fields.get(str(part))
        inner = _inner_model(field.annotation) if field is not None else None
        at = inner or at
    return set(at.model_fields)


def _inner_model(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_inner_model(argument) for argument in get_args(annotation))
    return next((model for model in inner if model is not None), None)


def _dotted(loc: tuple[int | str, ...]) -> str:
    """Write a place as a reader of TOML would: ``fields[3].name`` counts from 1."""
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _rule(error: ErrorDetails) -> str:
    """Say pydantic's rule as the end of a sentence: ``Input should be a string`` is ``it must be a string``."""
    _, should, rule = error["msg"].partition(" should ")
    return f"it must {rule}" if should else error["msg"]
