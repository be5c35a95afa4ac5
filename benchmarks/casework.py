"""The ledger of cases: events made durable per second, and a desk's page, a month and a map among five million cases.

Appends wait for the disk (SQLite in WAL mode, synchronous=FULL), each sender for its own receipt. The five million are
written by SQL, one event each, three years of a city of 5 000 units with 61 owners; one owner has 40 % of them.
"""

import datetime as dt
import tempfile
import threading
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from timing import row, seconds

from gisgrid.casework.indicators import indicators, period_of, read_indicators
from gisgrid.casework.ledger import CaseFilter, Event, Ledger

N_CASES, N_UNITS = 5_000_000, 5_000
N_OPEN = 150_000
PER_SECOND, P99_MS = 2_000, 50.0
"""What is promised."""
NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
SPAN_S = 3 * 365 * 86_400
OPEN = (
    "reported",
    "filed",
    "dispatched",
    "handled",
    "feedback",
    "verified",
    "suspended",
    "appealed",
)
INDICATOR_COLUMNS = (
    "case_id", "category_code", "unit_code", "subdistrict_code", "source", "owner", "state", "reported_at", "uploaded_at",
    "filed_at", "dispatched_at", "handled_at", "closed_at", "due_at", "n_returns", "n_reworks", "duplicate_of",
)  # fmt: skip


def rows():
    found = []
    with tempfile.TemporaryDirectory() as folder:
        with Ledger.open(f"sqlite:///{folder}/empty.db") as ledger:
            found += appended(ledger, "an empty ledger")
        url = f"sqlite:///{folder}/full.db"
        start = perf_counter()
        fill(url)
        print(f"{N_CASES:,} cases written in {perf_counter() - start:.0f} s, {Path(folder, 'full.db').stat().st_size / 1e9:.1f} GB")  # fmt: skip
        with Ledger.open(url, clock=lambda: NOW) as ledger:
            assert ledger.count() == N_CASES
            found += desk(ledger)
            found += wide(ledger)
            found += city_wide(ledger)
            found += appended(ledger, f"{N_CASES // 10**6} million cases")
    return found


def appended(ledger, where):
    """Reports of one event each from 64 threads, then their way to the closing."""
    rng = np.random.default_rng(3)
    n, n_threads = 100, 64
    units = rng.integers(0, N_UNITS, (n_threads, n))
    reports = [
        [Event(f"{where} {t}-{i}", "reported", NOW, "u", (113.2, 35.2), data=data_of(int(unit), t)) for i, unit in enumerate(line)]
        for t, line in enumerate(units)
    ]  # fmt: skip
    follow = [
        Event(report.case_id, kind, NOW, "u", why="x", data={"owner": "owner 7"})
        for kind in ("filed", "dispatched", "handled")
        for report in reports[0]
    ]
    per_second, waits = sent_by_threads(ledger, reports)
    following, _ = sent_by_threads(ledger, [follow[i::n_threads] for i in range(n_threads)])
    print(f"promised: {per_second:,.0f} of {PER_SECOND:,} durable events/s, {where}")
    work = f"appended to {where}, {n_threads} threads, one commit shared by those who wait"
    return [
        row(f"reports {work}", per_second, unit="events/s"),
        row("of which a thread waits, p99", np.percentile(waits, 99), unit="ms"),
        row(f"later events {work}", following, unit="events/s"),
    ]


def data_of(unit, owner):
    return {
        "category_code": "0110", "category": "exposed_garbage", "unit_code": f"14080200100{unit:04d}",
        "community_code": f"140802{unit // 10:06d}", "subdistrict_code": f"140802{unit // 250:03d}",
        "owner": f"owner {owner}", "source": "collector", "level_found": "community", "due_at": "2026-11-23T04:00:00+00:00",
    }  # fmt: skip


def sent_by_threads(ledger, shares):
    waits = []
    gate = threading.Barrier(len(shares) + 1)

    def work(share):
        mine = []
        gate.wait()
        for event in share:
            start = perf_counter()
            ledger.append(event)
            mine.append(1000 * (perf_counter() - start))
        waits.extend(mine)

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    gate.wait()
    start = perf_counter()
    for thread in threads:
        thread.join()
    return len(waits) / (perf_counter() - start), waits


def desk(ledger):
    """Two thousand pages of fifty, as desks ask: by owner, state, grid, deadline, class; first pages and next ones."""
    rng = np.random.default_rng(2)
    taken, n_rows = [], 0
    for _ in range(2_000):
        wanted = question(rng)
        after = None
        for _ in range(2):
            start = perf_counter()
            page = ledger.cases(wanted, limit=50, after=after)
            taken.append(1000 * (perf_counter() - start))
            n_rows += len(page)
            if len(page) < 50:
                break
            last = page.iloc[-1]
            after = (last["due_at"].to_pydatetime(), last["case_id"])
    p50, p99 = np.percentile(taken, [50, 99])
    print(f"promised: p99 {p99:.1f} of {P99_MS:g} ms, {len(taken):,} pages, {n_rows:,} rows")
    work = f"a desk's page of 50 among {N_CASES // 10**6} million cases (owner, state, grid, deadline, class)"
    return [row(f"{work}: p50", p50, unit="ms"), row(f"{work}: p99", p99, unit="ms")]


def question(rng):
    unit, owner = int(rng.integers(N_UNITS)), f"owner {rng.integers(61)}"
    found = {"owners": (owner,), "states": OPEN}
    match rng.integers(8):
        case 0:
            found["states"] = ("dispatched",)
        case 1:
            found["subdistrict_codes"] = (data_of(unit, 0)["subdistrict_code"],)
        case 2:
            found["community_codes"] = (data_of(unit, 0)["community_code"],)
        case 3:
            found["unit_codes"] = (data_of(unit, 0)["unit_code"],)
        case 4:
            found["due_before"] = NOW
        case 5:
            found |= {
                "category_codes": (f"01{rng.integers(10, 30)}",),
                "due_before": NOW + dt.timedelta(days=1),
            }
        case 6:
            found["states"] = ("closed", "void")
        case _:
            found = {"subdistrict_codes": (data_of(unit, 0)["subdistrict_code"],), "states": OPEN}
    return CaseFilter(**found)


def wide(ledger):
    month = CaseFilter(
        reported_from=NOW - dt.timedelta(days=60), reported_to=NOW - dt.timedelta(days=30)
    )
    near = CaseFilter(
        bbox=(113.2, 35.2, 113.202, 35.202), reported_from=NOW - dt.timedelta(days=30)
    )
    n = len(ledger.cases(month, columns=INDICATOR_COLUMNS))
    work = f"{n:,} cases of a month as a frame of {len(INDICATOR_COLUMNS)} columns"
    return [
        row(work, seconds(lambda: ledger.cases(month, columns=INDICATOR_COLUMNS), times=3)),
        row("reports of 30 days within 200 m of a place", 1000 * seconds(lambda: ledger.cases(near), times=20), unit="ms"),
        row("how one case stands", 1000 * seconds(lambda: ledger.case("C002500000"), times=20), unit="ms"),
    ]  # fmt: skip


def city_wide(ledger):
    """What a district's desk asks of all cases: the numbers beside its filters, and the indicators of a month by unit."""
    open_, due = CaseFilter(states=OPEN), {"states": OPEN, "due_from": NOW}

    def counted():
        for by, wanted in (("state", CaseFilter()), ("owner", open_), ("category_code", open_)):
            ledger.counts(by, wanted)
        for until in (NOW, NOW + dt.timedelta(days=1), NOW + dt.timedelta(days=400)):
            ledger.count(CaseFilter(**due | {"due_before": until + dt.timedelta(hours=1)}))
        ledger.count(open_)

    period = period_of("2026-10", timezone="Asia/Shanghai").known_until(pd.Timestamp(NOW))
    columns = ("unit_code", *read_indicators().columns)

    def month():
        start, end = period.start.to_pydatetime(), period.end.to_pydatetime()
        return indicators(ledger.touched(start, end, columns=columns), period, by=["unit_code"])

    work = f"indicators of a month for {len(month()):,} units among {N_CASES // 10**6} million cases, read included"
    return [
        row("numbers beside a desk's filters, whole city", 1000 * seconds(counted, times=5), unit="ms"),
        row(work, seconds(month, times=3)),
    ]  # fmt: skip


FILL = f"""
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {N_CASES - 1}),
drawn AS (SELECT i, (i * 7919 + 13) % {N_UNITS} AS unit, (i * 2654435761) % 1000003 AS r,
  CAST(({NOW.timestamp()} - {SPAN_S}.0 * ({N_CASES} - i) / {N_CASES}) * 1000000 AS INTEGER) AS t FROM n),
named AS (SELECT *, CASE WHEN r % 10 < 4 THEN 0 ELSE 1 + r % 60 END AS o, i >= {N_CASES - N_OPEN} AS fresh,
  113 + (r % 1000) / 2000.0 AS x, 35 + (r / 1000) / 2000.0 AS y FROM drawn)
INSERT INTO cases (case_id, category_code, category, unit_code, subdistrict_code, community_code, level_found, source, owner,
  state, reported_at, uploaded_at, filed_at, dispatched_at, handled_at, closed_at, due_at, n_returns, n_reworks,
  n_hand_overs, n_reopenings, urgency, lon, lat, previous_state, version, state_at, changed_at, last_seq, cell)
SELECT printf('C%09d', i), printf('01%02d', 10 + r % 20), 'exposed_garbage', printf('14080200100%04d', unit),
  printf('140802%03d', unit / 250), printf('140802%06d', unit / 10), 'community', 'collector', 'owner ' || o,
  CASE WHEN fresh THEN ({"CASE r % 8 " + " ".join(f"WHEN {k} THEN '{state}'" for k, state in enumerate(OPEN)) + " END"})
    WHEN r % 30 = 0 THEN 'void' ELSE 'closed' END,
  t, t + 60000000, t + 600000000, t + 900000000, CASE WHEN fresh THEN NULL ELSE t + 3600000000 END,
  CASE WHEN fresh OR r % 30 = 0 THEN NULL ELSE t + 7200000000 END, t + 3600000000 * (1 + r % 70), 0, 0, 0, 0, 'normal', x, y,
  'filed', 1, t, t + 7200000000, i + 1,
  CAST((y + 90) * 200 AS INTEGER) * 72000 + CAST((x + 180) * 200 AS INTEGER)
FROM named
"""  # noqa: S608 - of our own numbers
EVENTS = """
INSERT INTO events (seq, client_id, position, case_id, version, kind, at, recorded_at, "by", lon, lat, why, data, digest)
SELECT last_seq, printf('client %09d', last_seq), 0, case_id, 1, 'reported', reported_at, uploaded_at, 'collector-7', lon, lat,
  '', json_object('unit_code', unit_code, 'category_code', category_code, 'owner', owner), randomblob(32) FROM cases
"""


def fill(url):
    import sqlite3
    from contextlib import closing

    Ledger.open(url).close()
    with closing(
        sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    ) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(FILL)
        connection.execute(EVENTS)
        for _, made in indexes:
            connection.execute(made)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    for each in rows():
        print(each["work"], f"{each['ours']:.4g}", each["unit"])
