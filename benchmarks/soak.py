"""Does the server's memory stay flat? A soak: load without a pause for as long as is asked, and the memory all the while.

`soak.py --minutes 60`: two workers, tiles that nobody asked for before and tiles that are ready, filters, items, rows that
come in, mistakes. It prints the memory of each worker at the start, in the middle and at the end, and says so (status 1)
where one has grown by more than `--growth` MB in the second half, or where anything was answered with a fault.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from loading import served
from tiles_server import write_city

CACHE_BYTES = 16 * 1024 * 1024
VISITORS = 4
WARMING_S = 30
"""Caches fill and loops are compiled at first; that is not counted."""


def main(words):
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument(
        "--growth", type=float, default=40, help="MB that a worker may grow by, once it is warm"
    )
    said = asked.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tiles = write_city(root)
        with served(root, CACHE_BYTES) as (base, process):
            return soak(base, process, root, tiles, seconds=60 * said.minutes, growth=said.growth)


def soak(base, process, root, tiles, *, seconds, growth):
    answers, stop = Counter(), threading.Event()
    visitors = [threading.Thread(target=visit, args=(base, tiles, answers, stop, seed), daemon=True) for seed in range(VISITORS)]  # fmt: skip
    visitors.append(threading.Thread(target=write, args=(root, stop), daemon=True))
    for one in visitors:
        one.start()
    stop.wait(WARMING_S)
    seen = []
    for share in (0.0, 0.5, 1.0):
        at = seconds * share
        stop.wait(max(0.0, at - (seen[-1][0] if seen else 0.0)))
        seen.append((at, resident_mb(process)))
        print(f"{at / 60:6.1f} min  {'  '.join(f'worker {i}: {mb:.0f} MB' for i, mb in enumerate(seen[-1][1], 1))}  {sum(answers.values()):,} answers", flush=True)  # fmt: skip
    stop.set()
    for one in visitors:
        one.join(60)
    print("answers by status:", dict(sorted(answers.items())))
    # Caches have their limits, which a long first half reaches; what grows on after that is no cache.
    grown = [last - middle for middle, last in zip(seen[1][1], seen[2][1], strict=True)]
    faults = sum(n for status, n in answers.items() if status >= 500 and status != 503)
    well = max(grown) <= growth and not faults
    print(
        f"grown by at most {max(grown):.0f} MB in the second half, {faults} faults: {'flat' if well else 'NOT FLAT'}"
    )
    return 0 if well else 1


def visit(base, tiles, answers, stop, seed):
    turn = random.Random(seed)  # noqa: S311 - which tile is asked for
    while not stop.is_set():
        answers[status_of(base + address(turn, tiles))] += 1


def address(turn, tiles):
    tile, day = turn.choice(tiles), turn.randrange(730)
    return turn.choice(
        (
            f"/tiles/issues/{tile}.mvt",
            f"/tiles/areas/{tile}.mvt",
            f"/tiles/issues,areas/{tile}.mvt?v={day}",
            f"/tiles/issues/{tile}.mvt?filter=day%3C{day}",
            f"/collections/issues/items?limit=20&day={day}",
            f"/tiles/nowhere{day}/{tile}.mvt",
            f"/tiles/issues/{tile}.mvt?nothing{day}=1",
            f"/collections/issues/tiles/CGCS2000Quad/{tile}",
        )
    )


def write(root, stop):
    """Rows come in, and take the places of others, all the while."""
    from gisgrid.catalogue import Catalogue, FolderStore
    from gisgrid.prepared import append

    layer, store = Catalogue.read(root / "layers")["issues"], FolderStore(root / "data")
    turn = random.Random(9)  # noqa: S311 - where a row is
    while not stop.wait(0.5):
        properties = {"issue_id": turn.randrange(1000), "category_code": "c01", "status_code": "open", "severity": 3, "day": turn.randrange(730)}  # fmt: skip
        place = [113.9 + turn.uniform(-0.2, 0.2), 35.3 + turn.uniform(-0.2, 0.2)]
        append(layer, store, [{"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": place}}])  # fmt: skip


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own address
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        error.read()
        return error.code


def resident_mb(process):
    """The memory of each worker, of their own and shared together."""
    found = []
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
            pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
            found.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
    assert found, "the server has no workers"
    return found


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
