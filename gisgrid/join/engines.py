"""Who does the work: the threads of this machine, or the workers of a Dask cluster; the sums come out the same."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast, get_args

from gisgrid.errors import InputError, did_you_mean
from gisgrid.progress import Progress

if TYPE_CHECKING:
    from distributed import Client, Scheduler

Engine = Literal["local", "dask"]
Task = TypeVar("Task")
Sum = TypeVar("Sum")

_FAN_IN: Final = 8
"""Sums that are added up at a time: a cluster's tree of 1 000 parts has four storeys."""
_RETRIES: Final = 2
"""How often a task that failed is tried again: a network drive may stumble."""
_ATTEMPTS: Final = 3
"""How often all is begun again, where a cluster lost every worker that knew the units."""
_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 30.0
"""After so long without a result it is asked whether anybody is still at work."""
_MEMORY: Final = "half a gigabyte and 100 MB per thread"


def summed(
    tasks: Sequence[Task],
    work: Callable[[Task], Sum],
    together: Callable[[Sequence[Sum]], Sum],
    *,
    engine: Engine,
    scheduler: str | None,
    progress: Progress,
) -> Sum:
    """Do all tasks, wherever, and add up what comes of them in a tree.

    Parameters
    ----------
    tasks
        At least one.
    work
        What is done with each; with all it needs it goes to every worker once.
    together
        Adds up sums; in which order must not matter.
    engine
        ``local`` for the threads of this process, ``dask`` for the workers of a cluster.
    scheduler
        Where a running cluster is, for example ``tcp://10.0.0.5:8786``. Without: one of a process per core is started
        here and ended.
    progress
        Told how many tasks are done.

    Returns
    -------
    Sum
        Of all tasks.

    Raises
    ------
    InputError
        An engine that does not exist or is not installed, or no scheduler answers.
    """
    if engine not in get_args(Engine):
        raise InputError(f"there is no engine {engine!r}{did_you_mean(engine, get_args(Engine))}")
    progress("count", 0.0)
    if engine == "dask":
        return _by_workers(tasks, work, together, scheduler, progress)
    if scheduler is not None:
        raise InputError(
            f"the scheduler {scheduler!r} is of no use to the engine 'local', which works in this process; "
            "say engine='dask' or leave the scheduler out"
        )
    return _by_threads(tasks, work, together, progress)


def _by_threads(
    tasks: Sequence[Task],
    work: Callable[[Task], Sum],
    together: Callable[[Sequence[Sum]], Sum],
    progress: Progress,
) -> Sum:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(work, task) for task in tasks}
        sums: list[tuple[int, Sum]] = []
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                futures.discard(future)
                sums.append((0, future.result()))
                # As in counting with carries: at most a few sums of each storey wait.
                while len(last := _storey(sums)) == _FAN_IN:
                    height = last[0][0] + 1
                    sums[-_FAN_IN:] = [(height, together([each for _, each in last]))]
                progress("count", done / len(tasks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return together([each for _, each in sums])


def _storey(sums: Sequence[tuple[int, Sum]]) -> list[tuple[int, Sum]]:
    """Give the last sums, as far as they are of one storey and may be added up."""
    last = sums[-_FAN_IN:]
    return [each for each in last if each[0] == sums[-1][0]]


def _by_workers(
    tasks: Sequence[Task],
    work: Callable[[Task], Sum],
    together: Callable[[Sequence[Sum]], Sum],
    scheduler: str | None,
    progress: Progress,
) -> Sum:
    with _client(scheduler) as client:
        from distributed import CancelledError  # noqa: PLC0415 - known to be there by now

        payload = pickle.dumps(work)
        for left in range(_ATTEMPTS - 1, -1, -1):
            try:
                return _on_cluster(client, tasks, payload, together, progress)
            except CancelledError as error:
                # What was sent to the workers cannot be made again by them: if all that had it died, it is lost.
                if not left:
                    raise InputError(_dying(str(error))) from error
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _on_cluster(
    client: Client,
    tasks: Sequence[Task],
    payload: bytes,
    together: Callable[[Sequence[Sum]], Sum],
    progress: Progress,
) -> Sum:
    from distributed import KilledWorker  # noqa: PLC0415 - known to be there by now

    try:
        client.wait_for_workers(1, timeout=_TIMEOUT_S)
        sent = client.scatter(payload, broadcast=True, hash=False, timeout=_TIMEOUT_S)  # type: ignore[no-untyped-call] # Dask has few types
    except TimeoutError as error:
        raise InputError(
            f"the cluster has no worker that can take on work within {_TIMEOUT_S:g} s; start some with `dask worker`, "
            f"with {_MEMORY} each"
        ) from error
    storey = client.map(_do, tasks, work=sent, pure=False, retries=_RETRIES, key="count")
    storey = first = _storey_above(client, storey, together)
    while len(storey) > 1:
        storey = _storey_above(client, storey, together)
    # From here on only the tree holds the sums: a worker forgets those that are added up.
    n_sums, waiting = len(first), set(first)
    del first
    try:
        for n_waiting in _as_they_come(client, waiting):
            progress("count", 1 - n_waiting / n_sums)
        return cast("Sum", storey[0].result())
    except KilledWorker as error:
        raise InputError(_dying(str(error))) from error


def _as_they_come(client: Client, waiting: set[Any]) -> Iterator[int]:
    """Say again and again how many are still awaited, until none is or one has failed."""
    from distributed import wait  # noqa: PLC0415 - known to be there by now

    while waiting:
        try:
            done, waiting = wait(waiting, timeout=_PATIENCE_S, return_when="FIRST_COMPLETED")  # type: ignore[no-untyped-call] # Dask has few types
        except TimeoutError:
            # A worker short of memory pauses, and may do so for ever.
            if client.run_on_scheduler(_nobody_works):  # type: ignore[no-untyped-call] # the same
                raise InputError(_dying("all pause for want of memory")) from None
            continue
        if any(future.status != "finished" for future in done):
            return
        yield len(waiting)


def _nobody_works(dask_scheduler: Scheduler) -> bool:
    return bool(dask_scheduler.workers) and not dask_scheduler.running


def _storey_above(
    client: Client, futures: Sequence[Any], together: Callable[[Sequence[Sum]], Sum]
) -> list[Any]:
    """Add up the sums of a storey, some at a time, each where one of them is."""
    return [
        client.submit(together, futures[i : i + _FAN_IN], pure=False, retries=_RETRIES)
        for i in range(0, len(futures), _FAN_IN)
    ]


def _do(task: Task, work: bytes) -> object:
    return _opened(work)(task)


@lru_cache(maxsize=1)
def _opened(work: bytes) -> Callable[[object], object]:
    """Unpack the work once per worker; only our own process packed it."""
    unpacked: Callable[[object], object] = pickle.loads(work)  # noqa: S301 - Dask unpickles every task anyway
    return unpacked


@contextmanager
def _client(scheduler: str | None) -> Iterator[Client]:
    """Connect to a cluster, or start one here."""
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            "the engine 'dask' needs dask and distributed, which are not installed; install gisgrid[dask]"
        ) from error
    with ExitStack() as stack:
        if scheduler is None:
            cluster = LocalCluster(  # type: ignore[no-untyped-call] # the same
                n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=":0",
                silence_logs=logging.ERROR,
            )  # fmt: skip
            scheduler = stack.enter_context(cluster).scheduler_address
        try:
            client = Client(scheduler, timeout=_TIMEOUT_S, set_as_default=False)  # type: ignore[no-untyped-call] # the same
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {scheduler!r} within {_TIMEOUT_S:g} s; start one with `dask scheduler` "
                "and give the address that it prints, for example tcp://10.0.0.5:8786"
            ) from error
        stack.enter_context(client)
        stack.enter_context(client.as_current())
        yield client


def _dying(what: str) -> str:
    return (
        f"the workers of the cluster cannot go on ({what}), but each needs {_MEMORY}; give them more memory, or fewer "
        "threads each"
    )
