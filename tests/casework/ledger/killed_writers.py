"""Start writers and kill them, again and again: run by test_faults.py as a process of its own.

Each round forks a writer with several threads, which tell over a pipe what the ledger acknowledged; after a few milliseconds
of load it is killed. Then every acknowledged upload must be there once, sent again it must be the same, and the ledger
must be without flaw.
"""

import datetime as dt
import os
import random
import signal
import sys
import threading
import time
from collections import Counter

from gisgrid.casework.ledger import Event, Ledger

AT = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
THREADS = 6
EVENTS = ("reported", "filed")


def upload(client_id):
    return [Event(f"case {client_id}", kind, AT, "u", data={"owner": "o"}) for kind in EVENTS]


def write(url, pipe, turn):
    """Append until killed; say each receipt when it is there."""
    ledger = Ledger.open(url)

    def work(thread):
        for i in range(10**6):
            client_id = f"{turn}-{thread}-{i}"
            ledger.append(upload(client_id), client_id=client_id)
            os.write(pipe, f"{client_id}\n".encode())  # one write, at most PIPE_BUF: never mixed

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def killed_round(url, turn, wait_s):
    """Give what a killed writer had been told to be safe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write(url, writing, turn)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        first = told.readline()  # under load from here on
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
        rest = told.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"round {turn}: the writer ended by itself"
    return (first + rest).decode().split("\n")[:-1]


def main(url, rounds):
    rng = random.Random(7)  # noqa: S311 - when to kill is no secret
    told = []
    for turn in range(rounds):
        new = killed_round(url, turn, rng.uniform(0, 0.012))
        told += new
        with Ledger.open(url) as ledger:
            again = ledger.append(upload(new[-1]), client_id=new[-1])
            assert again.repeated, f"round {turn}: {new[-1]!r} was acknowledged and is not there"
    with Ledger.open(url) as ledger:
        found = Counter(zip(ledger.events()["client_id"], ledger.events()["kind"], strict=True))
        lost = [client_id for client_id in told for kind in EVENTS if found[client_id, kind] != 1]
        assert not lost, (
            f"{len(lost)} of {len(told)} acknowledged uploads are not there once: {lost[:3]}"
        )
        assert set(found.values()) == {1}
        assert sum(found.values()) == len(EVENTS) * ledger.count()
        assert ledger.flaws() == []
        print(rounds, len(told), ledger.count())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
