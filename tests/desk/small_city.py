"""A city of 16 units in 4 communities in 2 sub-districts, as a folder with layers and data."""

import shutil
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

WEST, SOUTH, SIDE = 500_000.0, 3_895_000.0, 200.0
LAYERS = ("compounds", "communities", "subdistricts", "cases")


def make(folder: Path, layers: Path) -> None:
    """Write the layers of the standard catalogue that cases need, and a small grid."""
    (folder / "layers").mkdir(parents=True)
    (folder / "data").mkdir()
    shutil.copy(layers / "catalogue.toml", folder / "layers")
    for name in LAYERS:
        shutil.copytree(layers / name, folder / "layers" / name)
    units = _units()
    units.to_parquet(folder / "data" / "compounds.parquet")
    communities = units.dissolve("community_code", as_index=False)
    communities["subdistrict_code"] = communities["community_code"].str[:9]
    communities = _named(communities, "community_code", "社区").assign(
        kind="urban_community", urban_rural_class="111"
    )
    communities.to_parquet(folder / "data" / "communities.parquet")
    districts = communities.dissolve("subdistrict_code", as_index=False)
    districts = _named(districts, "subdistrict_code", "街道").assign(kind="subdistrict")
    districts.to_parquet(folder / "data" / "subdistricts.parquet")


def _units() -> gpd.GeoDataFrame:
    rows, shapes = [], []
    for column in range(4):
        for row in range(4):
            community = f"41980100{1 + column // 2}{1 + row // 2:03d}"
            rows.append(
                {
                    "compound_code": f"{community}{column % 2 * 2 + row % 2 + 1:03d}",
                    "community_code": community,
                }
            )
            west, south = WEST + column * SIDE, SOUTH + row * SIDE
            shapes.append(shapely.box(west, south, west + SIDE, south + SIDE))  # fmt: skip
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=4547)
    frame = _named(frame, "compound_code", "小区").assign(kind="gated_compound", built_year=2001)
    nothing = pd.array([None] * len(frame), dtype="boolean")
    return frame.assign(pipes_renewed=nothing, fire_safety=nothing, parking=nothing, lift=nothing)


def _named(frame: gpd.GeoDataFrame, key: str, word: str) -> gpd.GeoDataFrame:
    return frame.assign(
        name_zh=word + frame[key], name_en="Unit " + frame[key], population=100,
        area_km2=frame.geometry.area / 1e6,
    )  # fmt: skip


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
