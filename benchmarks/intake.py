"""A million rows of CSV with Chinese headers, in GCJ-02, to checked GeoParquet, against pandas and sjoin unchecked."""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from timing import row, seconds

from gisgrid.datum import gcj02_from_wgs84
from gisgrid.files import read_frame

N_ROWS, SIDE_M = 1_000_000, 30_000.0
EAST, NORTH = 500_000.0, 3_880_000.0
LEVELS = {"subdistrict_code": 12, "community_code": 300, "compound_code": 6_000}
SECONDS, MEGABYTES, TIMES = 8.0, 2_000.0, 2.0
"""What is promised: at most so long, so much memory, and so many times what is done unchecked."""


def rows() -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, units = write_city(folder)
        ours = seconds(lambda: take_in(table, units, folder / "out.parquet"), times=3)
        unchecked = seconds(lambda: read_and_join(table, units), times=3)
        megabytes = peak_megabytes(folder)
    work = f"{N_ROWS:,} rows of CSV to GeoParquet: columns, datum, times, classes, copies, three levels"
    print(
        f"promised: {ours:.1f} of {SECONDS:g} s, {megabytes:,.0f} of {MEGABYTES:,.0f} MB, "
        f"{ours / unchecked:.2f} of {TIMES:g} times the unchecked way"
    )
    return [
        row(
            work,
            ours,
            unchecked,
            "pandas.read_csv + geopandas.sjoin × 3 + to_parquet, nothing checked",
        ),
        row("memory at most, in a process of its own", megabytes, unit="MB"),
    ]


def write_city(folder: Path, n: int = N_ROWS) -> tuple[Path, dict[str, Path]]:
    """A city of three levels of Voronoi cells, and a table of reports on it."""
    rng = np.random.default_rng(1)
    units = {}
    for level, n_units in LEVELS.items():
        frame = shapely.box(EAST, NORTH, EAST + SIDE_M, NORTH + SIDE_M)
        centres = shapely.multipoints((EAST, NORTH) + rng.random((n_units, 2)) * SIDE_M)
        cells = shapely.get_parts(shapely.voronoi_polygons(centres, extend_to=frame))
        cells = shapely.intersection(cells, frame)
        codes = [f"41{i:06d}" for i in range(n_units)]
        units[level] = folder / f"{level}.parquet"
        gpd.GeoDataFrame({level: codes}, geometry=cells, crs=4547).to_parquet(units[level])
    table = folder / "案件.csv"
    reports(n, rng).to_csv(table, index=False, encoding="utf-8-sig")
    return table, units


def reports(n: int, rng: np.random.Generator) -> pd.DataFrame:
    xy = (EAST, NORTH) + rng.random((n, 2)) * SIDE_M
    points = gpd.GeoSeries.from_xy(*xy.T, crs=4547).to_crs(4326)
    lon, lat = gcj02_from_wgs84(points.x.to_numpy(), points.y.to_numpy())
    reported = np.datetime64("2023-01-01T00:00:00") + np.sort(
        rng.integers(0, 3 * 365 * 86400, n)
    ).astype("timedelta64[s]")
    closed = reported + rng.integers(600, 20 * 86400, n).astype("timedelta64[s]")
    is_open = rng.random(n) < 0.1
    classes = [("0110", "暴露生活垃圾"), ("0112", "道路不洁"), ("0113", "道路破损"), ("0201", "非法小广告"),
               ("0401", "无照经营游商"), ("0405", "店外经营"), ("0410", "非机动车乱停放"), ("0506", "道路积水")]  # fmt: skip
    kind = rng.choice(len(classes), n, p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.07, 0.03])
    codes, names = (np.array(values)[kind] for values in zip(*classes, strict=True))
    number = np.arange(n)
    frame = pd.DataFrame({
        "案件编号": [f"4108{i:011d}" for i in number],
        "上报时间": pd.Series(reported).dt.strftime("%Y-%m-%d %H:%M:%S"),
        "结案时间": pd.Series(closed).dt.strftime("%Y-%m-%d %H:%M:%S").where(~is_open, ""),
        "类别代码": codes,
        "问题类别": names,
        "经度": lon.round(6),
        "纬度": lat.round(6),
        "来源": rng.choice(["采集员", "12345热线", "随手拍", "视频"], n, p=[0.7, 0.15, 0.1, 0.05]),
        "状态": np.where(is_open, "处置中", "已结案"),
        "问题描述": [f"第{i % 997}号路段{name}，请处理" for i, name in zip(number, names, strict=True)],
    })  # fmt: skip
    copies = rng.choice(n, n // 200, replace=False)
    frame.loc[copies[1:]] = frame.loc[copies[:-1]].to_numpy()
    return frame


def take_in(table: Path, units: dict[str, Path], out: Path) -> None:
    from gisgrid.intake import Reference, ingest

    found = ingest(
        table,
        out,
        reference=Reference({level: read_frame(path) for level, path in units.items()}, {}),
    )
    assert found.n_read == found.n_accepted == N_ROWS
    assert found.findings[0].mapping.datum == "gcj02"
    assert set(found.n_assigned) == set(LEVELS)
    assert min(found.n_assigned.values()) > 0.999 * N_ROWS


def read_and_join(table: Path, units: dict[str, Path]) -> None:
    frame = pd.read_csv(table)
    points = gpd.GeoDataFrame(
        frame, geometry=gpd.points_from_xy(frame["经度"], frame["纬度"]), crs=4326
    ).to_crs(4547)
    for level, path in units.items():
        joined = gpd.sjoin(points, gpd.read_parquet(path), how="left", predicate="intersects")
        points[level] = joined[level][~joined.index.duplicated()]
    points.to_parquet(table.with_name("unchecked.parquet"))


def peak_megabytes(folder: Path) -> float:
    """Memory at most of one intake, measured in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    home = Path(sys.argv[1])
    take_in(
        home / "案件.csv",
        {level: home / f"{level}.parquet" for level in LEVELS},
        home / "once.parquet",
    )
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
