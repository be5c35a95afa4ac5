"""Which ways of finding hotspots are there, and does a request fit the one that it names? One table, by family.

A method is an entry in the table of its family (`neighbour_methods` and its siblings): its name, what it asks in both
languages, the options that have a part in it, the function that finds, and the columns that the summary shows. Adding
a method is adding an entry, and its name to `command.MethodName`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gisgrid.cli.hotspots import (
    neighbour_methods,
    period_methods,
    point_methods,
    rate_methods,
    scan_methods,
    street_methods,
)
from gisgrid.cli.hotspots.method import Kind, Method
from gisgrid.cli.hotspots.request import Request
from gisgrid.errors import InputError, OutputError
from gisgrid.files import FRAME_SUFFIXES

FAMILIES: Final = (
    neighbour_methods.METHODS,
    scan_methods.METHODS,
    period_methods.METHODS,
    rate_methods.METHODS,
    point_methods.METHODS,
    street_methods.METHODS,
)
"""The families, in the order of the guide."""

METHODS: Final[Mapping[str, Method]] = {
    name: method for family in FAMILIES for name, method in family.items()
}
"""Every method by its name."""

OPTIONS: Final = tuple(sorted({option for each in METHODS.values() for option in each.options}))
"""The options that have a part in some methods only."""

SUFFIXES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "areas": (*FRAME_SUFFIXES, ".pmtiles"),
    "lines": (*FRAME_SUFFIXES, ".pmtiles"),
    "surface": (".tif", ".pmtiles"),
    "table": (".csv", ".parquet"),
}
"""What a result can end in; what the map page can show also in .html."""

_MAKES: Final[Mapping[Kind, str]] = {
    "areas": "areas", "lines": "stretches of street", "surface": "a surface", "table": "a table without a place",
}  # fmt: skip
_FLAGS: Final = {"since": "from"}


def flag(option: str) -> str:
    """Give an option as it is typed."""
    return f"--{_FLAGS.get(option, option).replace('_', '-')}"


def given(request: Request, option: str) -> bool:
    """Say whether the user gave an option."""
    return getattr(request, option) not in {None, False}


def check_method(request: Request) -> Method:
    """Refuse options that have no part in the method or that it lacks, and results it cannot be written as.

    Parameters
    ----------
    request
        What the user asked for.

    Returns
    -------
    Method
        The method.

    Raises
    ------
    InputError
        An option that the method does not take, options that contradict each other, or one that is missing.
    OutputError
        A suffix in which this method's result is not written.
    """
    name, method = request.method, METHODS[request.method]
    for option in OPTIONS:
        if given(request, option) and option not in method.options:
            takers = [other for other, each in METHODS.items() if option in each.options]
            raise InputError(
                f"{flag(option)} has no part in --method {name}; leave it out, or choose {_either(takers)}"
            )
    _check_suffix(request, method)
    for option, example in method.needs.items():
        if not given(request, option):
            hint = ", or take --method hdbscan" if (name, option) == ("dbscan", "radius_m") else ""
            raise InputError(
                f"--method {name} needs {flag(option)}, which is not given; give it, for example {flag(option)} {example}{hint}"
            )
    _check_one_of(request, method)
    if method.by == "areas":
        _check_areas(request)
    elif method.by == "units" and request.units is None:
        raise InputError(
            f"--method {name} counts by UNITS, which is not given; name a file of units"
        )
    _check_engine(request)
    return method


def _either(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _check_one_of(request: Request, method: Method) -> None:
    said = [option for option in method.needs_one_of if given(request, option)]
    if method.needs_one_of and len(said) != 1:
        options = _either(f"{flag(o)} {example}" for o, example in method.needs_one_of.items())
        found = f"{' and '.join(map(flag, said))} are given" if said else "none is given"
        raise InputError(
            f"--method {request.method} is held against one thing and {found}; give one of {options}"
        )


def _check_suffix(request: Request, method: Method) -> None:
    output, name = request.output, request.method
    if output.suffix == ".html":
        if not method.on_a_page:
            pages = [other for other, each in METHODS.items() if each.on_a_page]
            raise OutputError(
                f"the map page shows areas and streets and --method {name} makes {_MAKES[method.makes]}; let {output.name!r} end in "
                f"{SUFFIXES[method.makes][0]}, for example, or choose {', '.join(pages)}"
            )
    elif output.suffix not in SUFFIXES[method.makes]:
        raise OutputError(
            f"--method {name} makes {_MAKES[method.makes]}, which {output.name!r} cannot hold; let it end in "
            f"{_either(SUFFIXES[method.makes])}"
        )


def _check_areas(request: Request) -> None:
    """See that there is something to count by."""
    if request.units is None and request.cells is None:
        raise InputError(
            "hotspots need areas to count by but UNITS is not given; name a file of units, or ask for equal cells with "
            "--cells hexagon --cell-m 300"
        )
    if (request.cells is None) != (request.cell_m is None):
        there, other = ("--cell-m", "--cells") if request.cells is None else ("--cells", "--cell-m")
        raise InputError(
            f"{there} is given without {other}; give both, for example --cells hexagon --cell-m 300"
        )
    if request.population is not None and request.cells is not None:
        raise InputError(
            "--population counts the residents of UNITS, who cannot be shared out among --cells; leave one of them out"
        )


def _check_engine(request: Request) -> None:
    """See that files in parts are asked only what can be answered without holding them."""
    if request.engine is None or request.engine == "local":
        if request.scheduler is not None:
            raise InputError(
                "--scheduler is the address of a Dask scheduler; give --engine dask with it, or leave it out"
            )
        if request.engine is None:
            return
    if request.units is None:
        raise InputError(
            f"--engine {request.engine} counts by UNITS, which is not given; name a file of units"
        )
    for option in ("cells", "columns", "mapping", "issues_layer", "rejects", "controls", "explain", "compare"):  # fmt: skip
        if getattr(request, option) not in {None, ()}:
            name = {"columns": "column"}.get(option, option)
            raise InputError(
                f"--engine {request.engine} counts GeoParquet files as they are, by UNITS, so {flag(name)} has no part in it; "
                "leave it out, or ingest the reports first"
            )
