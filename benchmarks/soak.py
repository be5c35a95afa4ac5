"""Does the server's memory stay flat? A soak: load without a pause for as long as is asked, and the memory all the while.

`soak.py --minutes 60`: two workers, and all that a server does at once. Tiles, items and pages; filters that nobody wrote
before; tiles that the client has already; addresses that there are not, and requests that are refused, ever new ones; rows
that come in, change and go, and are merged; a layer that is built anew, and described anew; reports of cases, and desks that
open and close. First the caches are filled. It then prints the private memory of each worker, and ends with status 1 where
one has grown (see `flatness`), was replaced, or where anything was answered that should not have been.
"""

import argparse
import hashlib
import http.client
import itertools
import json
import os
import random
import runpy
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from flatness import judged, private_mb
from loading import served
from postgis import kind
from tiles_server import points, polygons, some_tiles

from gisgrid.files import write_frame

PROJECT = Path(__file__).parents[1]
CACHE_BYTES = 16 * 1024 * 1024
VISITORS = 4
N_POINTS, N_FRESH, N_AREAS = 100_000, 20_000, 1_000
FLOOD = 6_000
"""Filters, half of them searches through 100 000 texts: what is remembered of them fills its budget in each of two workers."""
KEY = "the-key-of-the-soak"
SITE = (114.001, 35.188, 114.008, 35.194)
"""Within the small city: west, south, east, north."""

DRAWN, FOUND, REFUSED = {200, 204}, {200}, {400, 401, 403, 404, 406, 413, 415, 422}


def main(words):
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--only", help="kinds of load, between commas: to find which one grows")
    said = asked.parse_args(words)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        city = City.make(Path(folder) / "city")
        os.environ.update(city.settings())
        with served(city.root, CACHE_BYTES) as (base, process):
            only = said.only.split(",") if said.only else None
            return soak(Soak(base, city, only), process, seconds=60 * said.minutes)


@dataclass
class City:
    """The small city of the tests, in which cases are taken, and three layers with something in them."""

    root: Path
    tiles: list[str]

    @classmethod
    def make(cls, root):
        runpy.run_path(str(PROJECT / "tests/desk/small_city.py"))["make"](root, PROJECT / "layers")
        issues = points(N_POINTS)
        issues["ref_code"] = [f"{i:06d}-{i * 7919 % 999_983:06d}" for i in range(len(issues))]
        write_layer(root, "issues", issues, "Point")
        write_layer(root, "fresh", points(N_FRESH, seed=8), "Point")
        write_layer(root, "areas", polygons(N_AREAS), "Polygon")
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        (root / "keys.toml").write_text(
            f'[[keys]]\nname = "soak"\nsha256 = "{digest}"\nlayers = ["*"]\nrole = "district"\ngrids = ["*"]\nclasses = ["*"]\n',
            "utf-8",
        )
        return cls(root, some_tiles(issues))

    def settings(self):
        return {"GISGRID_KEYS_FILE": str(self.root / "keys.toml"), "GISGRID_REPORTS_PER_MINUTE": "1000000"}  # fmt: skip


def write_layer(root, name, frame, geometry):
    write_frame(frame, root / "data" / f"{name}.parquet")
    folder = root / "layers" / name
    folder.mkdir(exist_ok=True)
    (folder / "layer.toml").write_text(description(name, frame, geometry, "x"), "utf-8")


def description(name, frame, geometry, title):
    columns = [column for column in frame.columns if column != "geometry"]
    head = (
        f'id = "{name}"\ntitle = {{ zh = "{title}", en = "{title}" }}\ndescription = {{ zh = "x", en = "x" }}\ngroup = "reports"\n'
        f'geometry = "{geometry}"\nprimary_key = "{columns[0]}"\ncrs = "EPSG:4326"\n[source]\npath = "{name}.parquet"\n'
        f"[tiles]\nminzoom = 8\nmaxzoom = 16\nproperties = {json.dumps(columns)}\n"
        '[tiles.low_zoom]\nstrategy = "none"\n'
    )
    return head + "".join(f'[[fields]]\nname = "{one}"\ntype = "{kind(frame[one])}"\ndescription = {{ zh = "x", en = "x" }}\n' for one in columns)  # fmt: skip


@dataclass
class Soak:
    """The load, what was answered, and whether it is to end."""

    base: str
    city: City
    only: list[str] | None = None
    answers: Counter = field(default_factory=Counter)
    wrong: Counter = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)
    number: itertools.count = field(default_factory=itertools.count)

    def does(self, name):
        return self.only is None or name in self.only


def soak(load, process, *, seconds):
    started = time.monotonic()
    if load.does("filters"):
        at_once([threading.Thread(target=fill, args=(load, seed)) for seed in range(VISITORS)])
    kinds = [one for one in KINDS if load.does(one.__name__)]
    work = [(visit, kinds, seed) for seed in range(VISITORS if kinds else 0)]
    work += [(one,) for one in (append_rows, build_anew, report, listen) if load.does(one.__name__)]
    threads = [threading.Thread(target=going_on, args=(load, *one), daemon=True) for one in work]
    for one in threads:
        one.start()
    # What a cache, a merge and an allocator come to is there after some rounds of each.
    load.stop.wait(min(300.0, max(30.0, seconds / 5)))
    workers, seen = workers_of(process), []
    print(f"warm after {time.monotonic() - started:.0f} s", flush=True)
    sample(load, process, workers, seen, seconds)
    load.stop.set()
    for one in threads:
        one.join(60)
    return told(load, workers, seen, workers_of(process))


def sample(load, process, workers, seen, seconds):
    """Look at the memory, some hundred times in all; a busy machine makes that fewer."""
    began, next_line = time.monotonic(), 0.0
    while (at := time.monotonic() - began) < seconds and workers_of(process) == workers:
        seen.append((at, [private_mb(pid) for pid in workers]))
        if at >= next_line:
            next_line = at + max(10.0, seconds / 30)
            print(f"{at / 60:6.1f} min  {'  '.join(f'worker {i}: {mb:.0f} MB' for i, mb in enumerate(seen[-1][1], 1))}  {sum(load.answers.values()):,} answers", flush=True)  # fmt: skip
        time.sleep(max(1.0, seconds / 720))


def told(load, workers, seen, workers_after):
    """Say what came of it; 1 where memory grew, a worker went or an answer was wrong."""
    print("answers:", ", ".join(f"{name} {n:,}" for name, n in sorted(load.answers.items())))
    well = workers == workers_after and not load.wrong
    if workers != workers_after:
        print(f"NOT WELL: workers {workers} have become {workers_after}")
    for name, n in load.wrong.most_common(20):
        print(f"NOT WELL: {n} times {name}")
    for i in range(len(workers)):
        found = judged([at for at, _ in seen], [memory[i] for _, memory in seen])
        well = well and found.is_flat
        print(f"worker {i + 1}: {found.said}{'' if not found.is_judged else ': flat' if found.is_flat else ': NOT FLAT'}")  # fmt: skip
    return 0 if well else 1


def at_once(threads):
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def going_on(load, work, *words):
    """A fault of the load itself is no silence."""
    try:
        work(load, *words)
    except Exception as error:  # noqa: BLE001 - whatever it is, the soak has not been one
        load.wrong[f"{work.__name__} ended: {error!r}"] += 1


def visit(load, kinds, seed):
    """Ask one thing after the other, over one connection for some time and then over another."""
    turn = random.Random(seed)  # noqa: S311 - what is asked for
    while not load.stop.is_set():
        with Visitor(load) as visitor:
            for _ in range(turn.randrange(1, 60)):
                if load.stop.is_set():
                    return
                turn.choice(kinds)(visitor, turn)


class Visitor:
    """A connection, and what is seen over it."""

    def __init__(self, load):
        self.load, self.tiles = load, load.city.tiles
        self._connection = http.client.HTTPConnection(urlsplit(load.base).netloc, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def new(self):
        """A number that was not there before."""
        return next(self.load.number)

    def ask(self, path, right, headers=None, *, method="GET", body=None):
        sent = {"Accept-Encoding": "gzip", **(headers or {})}
        self._connection.request(method, path, body, sent)
        answer = self._connection.getresponse()
        answer.read()
        self.load.answers[answer.status] += 1
        if answer.status not in right and answer.status != 503:
            self.load.wrong[f"{answer.status} for {method} {path[:100]}"] += 1
        return answer


def tiles(visitor, turn):
    tile = turn.choice(visitor.tiles)
    names = turn.choice(("issues", "areas", "fresh", "issues,areas"))
    visitor.ask(f"/tiles/{names}/{tile}.mvt{turn.choice(('', f'?v={visitor.new()}'))}", DRAWN)


def other_grids(visitor, turn):
    tile = turn.choice(visitor.tiles)
    visitor.ask(f"/collections/areas/tiles/CGCS2000Quad/{tile}?f=mvt", DRAWN | {404})


def known_already(visitor, turn):
    """A tile that has not changed since."""
    path = f"/tiles/issues/{turn.choice(visitor.tiles)}.mvt"
    tag = visitor.ask(path, DRAWN).headers["ETag"]
    visitor.ask(path, {304}, {"If-None-Match": tag})


def filters(visitor, turn):
    tile, least = turn.choice(visitor.tiles), visitor.new() / 1e6
    search = f"ref_code LIKE '%{visitor.new()}'"
    wanted = turn.choice((search, search, f"day < {least + 300}", f"severity >= {least} AND category_code = 'c{turn.randrange(12):02d}'"))  # fmt: skip
    where = turn.choice((f"/tiles/issues/{tile}.mvt?", "/collections/issues/items?limit=20&"))
    visitor.ask(f"{where}filter={quote(wanted)}", DRAWN)


def items(visitor, turn):
    name = turn.choice(("issues", "fresh", "areas"))
    visitor.ask(turn.choice((
        f"/collections/{name}/items?limit={turn.randrange(1, 90)}",
        f"/collections/issues/items?limit=20&day={turn.randrange(730)}",
        f"/collections/{name}/items?limit=10&bbox=113.8,35.2,{113.9 + turn.random() / 10},35.4",
        f"/collections/issues/items/{turn.randrange(N_POINTS)}",
        f"/api/layers/issues/rows?limit=20&offset={turn.randrange(1000)}",
    )), FOUND)  # fmt: skip


def pages(visitor, turn):
    visitor.ask(turn.choice((
        "/", "/collections", "/collections/issues", "/collections/issues?f=html", "/collections/issues/queryables", "/styles",
        "/tiles/issues,areas/tilejson.json", "/api/catalogue", "/healthz", "/readyz", "/metrics", "/docs",
    )), FOUND)  # fmt: skip


def refused(visitor, turn):
    new, tile = visitor.new(), turn.choice(visitor.tiles)
    path = turn.choice((
        f"/nothing/{new}", f"/tiles/nowhere{new}/{tile}.mvt", f"/tiles/issues/{tile}.mvt?nothing{new}=1",
        f"/tiles/issues/{tile}.mvt?filter={quote(f'nothing{new} = 1')}", f"/tiles/issues/{tile}.mvt?filter={quote(f'((day < {new}')}",
        f"/tiles/issues/99/{new}/0.mvt", f"/collections/issues/items?nothing{new}=1", f"/collections/nowhere{new}/items",
        f"/collections/issues/items/{N_POINTS + new}", f"/collections/issues/items?bbox={new}", f"/api/desk/cases/{new}",
    ))  # fmt: skip
    key = turn.choice((None, f"no-key-{new}"))
    visitor.ask(path, REFUSED, None if key is None else {"Authorization": f"Bearer {key}"})


KINDS = (tiles, other_grids, known_already, filters, items, pages, refused)


def fill(load, seed):
    """Fill what is remembered of filters with the same as comes later."""
    turn = random.Random(seed)  # noqa: S311 - what is asked for
    for _ in range(FLOOD // VISITORS // 50):
        with Visitor(load) as visitor:
            for _ in range(50):
                filters(visitor, turn)


def append_rows(load):
    """Rows come in, take the places of others and go, and are merged some times a minute."""
    from gisgrid.catalogue import Catalogue, FolderStore
    from gisgrid.prepared import append

    store = FolderStore(load.city.root / "data")
    layer = Catalogue.read(load.city.root / "layers")["fresh"]
    turn = random.Random(9)  # noqa: S311 - where a row is
    for new in itertools.count(N_FRESH, 20):
        keys = [*(turn.randrange(N_FRESH) for _ in range(80)), *range(new, new + 20)]
        append(layer, store, [point(key, turn) for key in keys], delete=[*range(new - 100, new - 80)] if new >= N_FRESH + 100 else [])  # fmt: skip
        if load.stop.wait(0.5):
            return


def point(key, turn):
    place = [113.9 + turn.uniform(-0.2, 0.2), 35.3 + turn.uniform(-0.2, 0.2)]
    properties = {"issue_id": key, "category_code": f"c{turn.randrange(12):02d}", "status_code": "open", "severity": 3, "day": turn.randrange(730)}  # fmt: skip
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": place}}  # fmt: skip


def build_anew(load):
    """A layer's file is replaced, and now and then its description."""
    for new in itertools.count(1):
        if load.stop.wait(8):
            return
        frame = polygons(N_AREAS, seed=new)
        write_frame(frame, load.city.root / "data" / "areas.parquet")
        if new % 3 == 0:
            target = load.city.root / "layers" / "areas" / "layer.toml"
            beside = target.with_suffix(".new")
            beside.write_text(description("areas", frame, "Polygon", f"x{new}"), "utf-8")
            beside.replace(target)


def report(load):
    """Cases are reported, ten in a second: so many that they are merged every few minutes."""
    turn = random.Random(11)  # noqa: S311 - where
    while not load.stop.wait(0.1):
        west, south, east, north = SITE
        said = {"client_id": str(uuid.UUID(int=turn.getrandbits(128), version=4)), "lon": turn.uniform(west, east), "lat": turn.uniform(south, north),
                "service_code": "0110", "description": f"垃圾 {turn.random()}"}  # fmt: skip
        with Visitor(load) as visitor:
            headers = {"Content-Type": "application/json"}
            visitor.ask("/api/report", {200, 201}, headers, method="POST", body=json.dumps(said).encode())  # fmt: skip
            visitor.ask("/api/report", REFUSED, headers, method="POST", body=b'{"lon": ')
            visitor.ask("/api/desk/cases?limit=20", FOUND, {"Authorization": f"Bearer {KEY}"})


def listen(load):
    """Desks open, hear a few words and close."""
    while not load.stop.is_set():
        connection = http.client.HTTPConnection(urlsplit(load.base).netloc, timeout=60)
        connection.request("GET", "/api/desk/news", headers={"Authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        load.answers[answer.status] += 1
        if answer.status not in {200, 503}:
            load.wrong[f"{answer.status} for the news"] += 1
        for _ in range(4):
            answer.readline()
        load.stop.wait(0.2)
        connection.close()


def workers_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    found = [int(pid) for pid in children if "spawn_main" in _command(pid)]
    assert found, "the server has no workers"
    return found


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has just ended
        return ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
