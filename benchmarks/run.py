"""Measure our work against its peers, in one run on this machine: tables, benchmarks/out/NAME.json, docs/benchmarks.md.

`run.py hotspots` measures hotspots.py and hotspots_*.py, `run.py --markdown` nothing; on the page, what was not measured
here stays as it is. Each module beside this one that is a benchmark has a function `rows()` that gives
[{"work", "ours", "peer", "peer_name", "unit", "ratio"}]; ratio says how many times faster (or smaller) ours is.
Peers that are no dependency of the project are measured where they can be imported, from the folder that
`GISGRID_BENCH_PEERS` names as well.
"""

import datetime as dt
import importlib
import json
import os
import platform
import sys
from pathlib import Path

import page
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent


def main(words: list[str]) -> int:
    only = [word for word in words if word != "--markdown"]
    names = page.benchmarks()
    families = {name.split("_")[0] for name in names}
    if unknown := set(only) - set(names) - families:
        print(
            f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names)}",
            file=sys.stderr,
        )
        return 2
    if folder := os.environ.get("GISGRID_BENCH_PEERS"):
        sys.path.append(folder)  # behind the project's own
    out = HERE / "out"
    out.mkdir(exist_ok=True)
    if words and not only:
        print(f"{page.PAGE.name}: {', '.join(page.write(out))}")
        return 0
    console = Console()
    console.print(
        f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}; medians; ratio = peer / ours"
    )
    asked = [name for name in names if not only or {name, name.split("_")[0]} & set(only)]
    for name in asked:
        rows = list(importlib.import_module(name).rows())
        today = dt.datetime.now(tz=dt.UTC).date().isoformat()
        about = {"date": today, "machine": page.machine(), "peers": page.peers(name, rows)}
        _save(rows, out / f"{name}.json")
        _save(about, out / f"{name}.{page.ABOUT}.json")
        console.print(as_table(name, rows))
        page.write(out)
    return 0


def _save(what: object, path: Path) -> None:
    path.write_text(json.dumps(what, indent=1, ensure_ascii=False), "utf8")


def as_table(name: str, rows: list[dict]) -> Table:
    table = Table(title=name, title_justify="left")
    for column in ("work", "ours", "peer", "ratio"):
        table.add_column(column, justify="left" if column == "work" else "right")
    for row in rows:
        peer = (
            "none"
            if row["peer"] is None
            else f"{row['peer']:.4g} {row['unit']} ({row['peer_name']})"
        )
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.1f}×"
        table.add_row(row["work"], f"{row['ours']:.4g} {row['unit']}", peer, ratio)
    return table


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
