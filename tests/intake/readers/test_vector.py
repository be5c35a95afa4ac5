"""GeoPackage, FlatGeobuf, Shapefile: geometry, types, and text in whatever encoding the .dbf is."""

import os
import zipfile

import geopandas as gpd
import pytest
import shapely

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import joined
from gisgrid.intake.readers.source import open_source

POINTS = [shapely.Point(113.2 + n, 35.2) for n in range(3)]
FRAME = gpd.GeoDataFrame(
    {"所属街道": ["东方红街道", "解放", None], "n": [1, 2, 3]}, geometry=POINTS, crs=4490
)


def written(path, frame=FRAME, *, encoding="gbk", cpg=None):
    """Write a Shapefile as this encoding leaves it, its names cut to ten bytes as dBASE cuts them."""
    short = frame.rename(columns={name: f"c{at}" for at, name in enumerate(frame.columns[:-1])})
    short.to_file(path, encoding=encoding)
    path.with_suffix(".cpg").unlink()
    if cpg:
        path.with_suffix(".cpg").write_text(cpg)
    table = path.with_suffix(".dbf")
    data = bytearray(table.read_bytes())
    data[29] = 0
    for at, name in enumerate(frame.columns[:-1]):
        data[32 + 32 * at : 43 + 32 * at] = name.encode(encoding)[:10].ljust(11, b"\0")
    table.write_bytes(data)
    return path


def read(path, **options):
    source = open_source(path, **options)
    return source, joined([batch for batch, _ in source.batches()])


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".shp"])
def test_rows_types_geometry_and_crs_are_kept(tmp_path, suffix):
    if suffix == ".shp":
        written(tmp_path / "a.shp", encoding="utf-8")
    else:
        FRAME.to_file(tmp_path / f"a{suffix}")
    source, batch = read(tmp_path / f"a{suffix}")
    assert (source.format, source.n_rows, source.crs.to_epsg()) == (suffix[1:], 3, 4490)
    by_name = dict(
        zip(batch.table.to_pydict()["n"], batch.table.columns[0].to_pylist(), strict=True)
    )
    assert by_name == {1: "东方红街道", 2: "解放", 3: None}
    shapes = shapely.from_wkb(batch.wkb.to_numpy(zero_copy_only=False))
    assert sorted(shapely.get_x(shapes).tolist()) == [113.2, 114.2, 115.2]


@pytest.mark.parametrize(
    ("encoding", "cpg", "note"),
    [
        ("gbk", None, "text is GB 18030 (GBK)"),
        ("utf-8", None, "text is UTF-8"),
        ("gbk", "UTF-8", "text is GB 18030 (GBK), although the file says utf-8"),
        ("utf-8", "GBK", "text is UTF-8, although the file says gb18030"),
        ("utf-8", "nonsense", "text is UTF-8"),
        ("big5", "Big5", "text is BIG5"),
    ],
)
def test_the_text_of_a_shapefile_is_read_whatever_its_cpg_says(tmp_path, encoding, cpg, note):
    name = "東方紅街道" if encoding == "big5" else "东方红街道"
    frame = FRAME.rename(columns={"所属街道": "街道"}).assign(街道=[name, "解放", None])
    source, batch = read(written(tmp_path / "a.shp", frame, encoding=encoding, cpg=cpg))
    assert source.columns == ("街道", "n")
    assert batch.table["街道"].to_pylist() == [name, "解放", None]
    assert note in [one.en for one in source.notes]


def test_a_name_cut_inside_a_character_is_read(tmp_path):
    written(tmp_path / "a.shp", encoding="utf-8")
    source, batch = read(tmp_path / "a.shp")
    assert source.columns == ("所属街", "n")
    assert batch.table["所属街"].to_pylist()[0] == "东方红街道"


def test_a_stated_encoding_is_kept(tmp_path):
    written(tmp_path / "a.shp")
    assert read(tmp_path / "a.shp", encoding="gbk")[0].columns == ("所属街道", "n")


def test_a_shapefile_without_prj_has_no_crs_and_says_so(tmp_path):
    written(tmp_path / "a.shp", encoding="utf-8")
    (tmp_path / "a.prj").unlink()
    source = open_source(tmp_path / "a.shp")
    assert source.crs is None
    assert "the file does not say its CRS" in [one.en for one in source.notes]


@pytest.mark.parametrize("folder", ["", "数据/"])
def test_a_zipped_shapefile_is_read_even_with_names_in_gbk(tmp_path, folder):
    written(tmp_path / "a.shp")
    with zipfile.ZipFile(tmp_path / "区县.zip", "w") as archive:
        for part in sorted(tmp_path.glob("a.*")):
            info = zipfile.ZipInfo((folder + "区县" + part.suffix).encode("gbk").decode("cp437"))
            archive.writestr(info, part.read_bytes())
        archive.writestr("readme.txt", "x")
    source, batch = read(tmp_path / "区县.zip")
    assert (source.name, source.format, source.columns) == ("区县.zip", "shp", ("所属街道", "n"))
    assert len(list(source.batches())) == len(list(source.batches())) == 1
    assert len(batch.wkb) == 3


def test_what_is_unpacked_goes_with_the_source(tmp_path, monkeypatch):
    FRAME.to_file(tmp_path / "a.gpkg")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.gpkg", "a.gpkg")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = open_source(tmp_path / "a.zip")
    assert (source.name, source.n_rows) == ("a.zip", 3)
    assert len(list(tmp_path.glob("gisgrid-*"))) == 1
    assert len(next(source.batches())[0].rows) == 3
    del source
    assert not list(tmp_path.glob("gisgrid-*"))


def test_several_layers_are_refused_until_one_is_chosen(tmp_path):
    FRAME.to_file(tmp_path / "a.gpkg", layer="三月")
    FRAME[:1].to_file(tmp_path / "a.gpkg", layer="四月")
    with pytest.raises(InputError, match=r"has 2 layers \(三月, 四月\); choose one with layer="):
        open_source(tmp_path / "a.gpkg")
    assert open_source(tmp_path / "a.gpkg", layer="四月").n_rows == 1
    with pytest.raises(InputError, match="no layer '五月'"):
        open_source(tmp_path / "a.gpkg", layer="五月")


def test_a_table_alone_is_read_and_the_table_of_a_shapefile_is_not(tmp_path):
    written(tmp_path / "a.shp")
    with pytest.raises(InputError, match=r"'a\.dbf' is the table of a Shapefile; name its \.shp"):
        open_source(tmp_path / "a.dbf")
    with pytest.raises(InputError, match=r"'a\.shx' is a part of a Shapefile; name its \.shp"):
        open_source(tmp_path / "a.shx")
    (tmp_path / "b.dbf").write_bytes((tmp_path / "a.dbf").read_bytes())
    source, batch = read(tmp_path / "b.dbf")
    assert (source.format, source.columns, batch.wkb) == ("dbf", ("所属街道", "n"), None)


def test_an_incomplete_or_cut_file_is_refused(tmp_path):
    written(tmp_path / "a.shp")
    (tmp_path / "a.shx").unlink()
    with pytest.raises(InputError, match=r"has no \.shx beside it"):
        open_source(tmp_path / "a.shp")
    FRAME.to_file(tmp_path / "a.gpkg")
    data = (tmp_path / "a.gpkg").read_bytes()
    (tmp_path / "cut.gpkg").write_bytes(data[:5000])
    with pytest.raises(InputError, match=r"'cut\.gpkg'"):
        list(open_source(tmp_path / "cut.gpkg").batches())
    FRAME[:0].to_file(tmp_path / "none.gpkg")
    with pytest.raises(InputError, match="has no features"):
        open_source(tmp_path / "none.gpkg")


def test_a_name_that_is_no_utf_8_is_read_and_shown_escaped(tmp_path):
    written(tmp_path / "a.shp")
    name = os.fsdecode("区县".encode("gbk"))
    for part in tmp_path.glob("a.*"):
        part.rename(tmp_path / f"{name}{part.suffix}")
    source, batch = read(tmp_path / f"{name}.shp")
    assert source.name == r"\udcc7\udcf8\udccf\udcd8.shp"
    assert batch.table["所属街道"].to_pylist()[0] == "东方红街道"
