"""Open desks over one city, four at a time, and kill them under load: run by test_live.py as a process of its own.

What was acknowledged must be in the ledger once and, when the last desk has caught up, in the live layer once: whatever died
between the commit and the map.
"""

import os
import random
import signal
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

from pyproj import Transformer

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk import Desk, Report
from gisgrid.prepared import open_live, prepare

CITY = Path(sys.argv[1])
AT_ONCE = 4
ROUNDS = int(sys.argv[2])
ADDRESS = sys.argv[3] if len(sys.argv) > 3 else None
CATALOGUE, STORE = Catalogue.read(CITY / "layers"), FolderStore(CITY / "data")
SPOT = Transformer.from_crs(4547, 4326, always_xy=True).transform(500_050.0, 3_895_050.0)
REPORT = Report(*SPOT, "0110", description="垃圾")


def work(pipe, turn):
    """Report until killed; say each case when its receipt is there."""
    desk = Desk.open(CATALOGUE, STORE, ledger=ADDRESS)
    for i in range(10**6):
        ids = [str(uuid.uuid5(uuid.NAMESPACE_OID, f"{turn}-{i}-{j}")) for j in range(8)]
        waiting = [desk.submit(REPORT, client_id=one, by="u") for one in ids]
        for client_id, future in zip(ids, waiting, strict=True):
            os.write(pipe, f"{client_id} {future.result().case_id}\n".encode())


def begin(turn):
    """Start a desk; give its process, and what it says."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            work(writing, turn)
        finally:
            os._exit(1)
    os.close(writing)
    return child, os.fdopen(reading, "rb")


def killed(turn, waits_s):
    """Give what desks that write together had acknowledged when they were killed, one after the other."""
    desks = [begin(f"{turn}-{number}") for number in range(len(waits_s))]
    first = [told.readline() for _, told in desks]  # under load from here on
    acknowledged = []
    for (child, told), line, wait_s in zip(desks, first, waits_s, strict=True):
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
        with told:
            acknowledged += (line + told.read()).decode().split("\n")[:-1]
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"round {turn}: a desk ended by itself"
    return [line.split() for line in acknowledged]


def main():
    # What a process looks up once is looked up before the first fork.
    Desk.open(CATALOGUE, STORE, ledger=ADDRESS).close()
    rng = random.Random(11)  # noqa: S311 - when to kill is no secret
    told = []
    for turn in range(ROUNDS // AT_ONCE):
        told += killed(turn, [rng.uniform(0, 0.05) for _ in range(AT_ONCE)])
    with Desk.open(CATALOGUE, STORE, ledger=ADDRESS) as desk:
        events = desk.ledger.events()
        found = Counter(zip(events["client_id"], events["case_id"], strict=True))
        assert set(found.values()) == {1}
        lost = [pair for pair in told if found[tuple(pair)] != 1]
        assert not lost, f"{len(lost)} of {len(told)} acknowledged reports are lost: {lost[:3]}"
        again = desk.report(REPORT, client_id=told[-1][0], by="u")
        assert (again.repeated, again.case_id) == (True, told[-1][1])
        assert desk.ledger.flaws() == []
        cases = set(desk.ledger.cases()["case_id"])
    live = open_live(prepare(CATALOGUE["cases"], STORE), STORE)
    shown = live.current(wait=False)
    hidden = set(shown.hidden.tolist())
    base = [
        row["case_id"] for i, row in enumerate(shown.base.records(slice(None))) if i not in hidden
    ]
    fresh = [row["case_id"] for row in shown.fresh.records(slice(None))]
    assert Counter(base + fresh) == Counter(cases), "the map does not show each case once"
    print(ROUNDS, len(told), len(cases))


if __name__ == "__main__":
    main()
