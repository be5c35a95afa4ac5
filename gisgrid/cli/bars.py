"""How far is the work? A bar on a terminal, a line per finished step elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from gisgrid.progress import Progress


@contextmanager
def steps(title: str, total: int) -> Iterator[Progress]:
    """Show how many of several steps are done, on standard error.

    Parameters
    ----------
    title
        What is being done.
    total
        How many steps there are; a step is known by its name and is done at share 1.

    Yields
    ------
    Progress
        To be told.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title, console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(title, total=total)
        done: dict[str, float] = {}

        def heard(step: str, share: float) -> None:
            done[step] = share
            bars.update(task, completed=sum(done.values()), description=f"{title}: {step}")

        yield heard


@contextmanager
def shares(title: str) -> Iterator[Progress]:
    """Show a bar for each step of one long work, on standard error.

    Parameters
    ----------
    title
        What is being done.

    Yields
    ------
    Progress
        To be told.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title, console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        known: dict[str, int] = {}

        def heard(step: str, share: float) -> None:
            if step not in known:
                known[step] = int(bars.add_task(f"{title}: {step}", total=1.0))
            bars.update(known[step], completed=share)  # type: ignore[arg-type]  # a TaskID is an int

        yield heard


def named(progress: Progress, names: Mapping[str, str]) -> Progress:
    """Tell a listener the steps in the user's language.

    Parameters
    ----------
    progress
        The listener.
    names
        What each step is called; what follows a step's name (a file, for example) stays.

    Returns
    -------
    Progress
        To be told the steps by the names the library has for them.
    """

    def heard(step: str, share: float) -> None:
        if step in names:
            progress(names[step], share)
            return
        name, _, rest = step.partition(" ")
        progress(" ".join(filter(None, (names.get(name, name), rest))), share)

    return heard


def _lines(title: str, console: Console) -> Progress:
    """Print a line when a step that was begun is finished; one that was never begun had nothing to do."""
    begun: set[str] = set()

    def heard(step: str, share: float) -> None:
        if share < 1:
            begun.add(step)
        elif step in begun:
            begun.remove(step)
            console.print(f"{title}: {step}", highlight=False, markup=False, soft_wrap=True)

    return heard
