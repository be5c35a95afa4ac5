"""What do the commands of the catalogue print?"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, Literal

from pydantic import BaseModel

from gisgrid.catalogue import Catalogue, Step
from gisgrid.schema import Fault


def faults(found: Mapping[str, Sequence[Fault]]) -> str:
    """Say for each layer whether its contract holds, and each fault in a sentence.

    Parameters
    ----------
    found
        What `gisgrid.catalogue.check` gave.

    Returns
    -------
    str
        Lines for a terminal.
    """
    return "\n".join(_fault_lines(found))


def faults_as_json(found: Mapping[str, Sequence[Fault]]) -> str:
    """Give the faults for a program: ``{"n_faults": …, "layers": {id: [{rule, n, first, message}]}}``.

    Parameters
    ----------
    found
        What `gisgrid.catalogue.check` gave.

    Returns
    -------
    str
        JSON.
    """
    layers = {name: [plain(fault) for fault in each] for name, each in found.items()}
    said = {"n_faults": sum(map(len, found.values())), "layers": layers}
    return json.dumps(said, ensure_ascii=False, indent=1)


def steps(made: Sequence[Step]) -> str:
    """Say for each derived layer what was done, why, and what was left out.

    Parameters
    ----------
    made
        What `gisgrid.catalogue.build` gave.

    Returns
    -------
    str
        Lines for a terminal.
    """
    width = max((len(step.layer) for step in made), default=0)
    return "\n".join(line for step in made for line in _step_lines(step, width))


def steps_as_json(made: Sequence[Step]) -> str:
    """Give the steps for a program: ``{"steps": [{layer, status, why, n_rows, excluded, seconds}]}``.

    Parameters
    ----------
    made
        What `gisgrid.catalogue.build` gave.

    Returns
    -------
    str
        JSON.
    """
    return json.dumps({"steps": [plain(step) for step in made]}, ensure_ascii=False, indent=1)


def layers(catalogue: Catalogue, language: Literal["zh", "en"] | None) -> str:
    """List the layers: id, what it is, whether it is given or made, its title.

    Parameters
    ----------
    catalogue
        The layers.
    language
        One language; both by default.

    Returns
    -------
    str
        Lines for a terminal.
    """
    rows = [("layer", "geometry", "origin", "title")]
    for layer in catalogue:
        title = layer.title
        words = getattr(title, language) if language else f"{title.zh} · {title.en}"
        rows.append((layer.id, layer.geometry, "derived" if layer.is_derived else "source", words))
    widths = [max(_width(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(
            [*(_padded(cell, width) for cell, width in zip(row, widths, strict=False)), row[3]]
        )
        for row in rows
    )


def plain(value: Any) -> Any:  # noqa: ANN401 - any value of the library
    """Turn a value of the library into what JSON holds.

    Parameters
    ----------
    value
        A model, a dataclass, a list of them, or what JSON holds already.

    Returns
    -------
    object
        What JSON holds.
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def _fault_lines(found: Mapping[str, Sequence[Fault]]) -> Iterator[str]:
    for name, each in found.items():
        yield f"{'faults' if each else 'ok':<7} {name}"
        yield from (f"        {fault.message}" for fault in each)
    n = sum(map(len, found.values()))
    wrong = sum(map(bool, found.values()))
    if n:
        yield f"{n} {'fault' if n == 1 else 'faults'} in {wrong} of {len(found)} layers"
    else:
        yield f"all {len(found)} layers keep their contracts"


def _step_lines(step: Step, width: int) -> Iterator[str]:
    rows = "" if step.n_rows is None else f"{step.n_rows} rows"
    parts = [f"{step.status:<8}", f"{step.layer:<{width}}"]
    if step.status == "built":
        parts += [f"{rows:>12}", f"{step.seconds:6.1f} s", f"because {step.why}"]
    elif step.why:
        parts.append(step.why)
    else:
        parts.append(f"{rows:>12}")
    yield "  ".join(parts).rstrip()
    for reason, n in step.excluded.items():
        yield f"{'':<8}  left out: {n} {reason}"


def _width(text: str) -> int:
    """Count the columns a text takes in a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
