"""Compile (or load) every loop of the package before somebody waits for it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gisgrid.features.filters import Filter
from gisgrid.features.table import FeatureTable


def compile_loops() -> None:
    """Go through every compiled loop once, on a table so small that only the compiling takes time.

    Notes
    -----
    Some ten seconds after an installation, a fraction of a second later.
    """
    n = 70_000
    rng = np.random.default_rng(0)
    number = rng.permutation(n)
    frame = pd.DataFrame(
        {
            "few": pd.array(np.array(["a", "b", "c", "d"])[number % 4], dtype="str"),
            "some": pd.array(np.char.add("w", (number % 300).astype(str)), dtype="str"),
            "each": pd.array(np.char.add("r", number.astype(str)), dtype="str"),
            "lon": rng.uniform(-170, 170, n),
            "lat": rng.uniform(-80, 80, n),
        }
    )
    table = FeatureTable.from_frame(
        frame, properties=["few", "some", "each"], lonlat=("lon", "lat")
    )
    table.is_whole()
    for condition in (
        "few IN ('a', 'c') AND some LIKE '%1' AND each LIKE '%7'",
        "S_INTERSECTS(geometry, BBOX(-90, -45, 90, 45))",
        "S_INTERSECTS(geometry, POLYGON((-90 -45, 90 -45, 0 45, -90 -45)))",
    ):
        Filter.parse(condition, fields=table.fields).mask(table)
    for name in ("few", "some", "each"):
        Filter.parse(f"{name} LIKE '%1' OR {name} LIKE 'c%'", fields=table.fields).mask(
            table, np.arange(9)
        )
