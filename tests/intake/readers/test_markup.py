"""KML and Open311 XML, and the XML that is not read."""

import zipfile

import pytest
import shapely

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import joined
from gisgrid.intake.readers.source import open_source

KML = """<?xml version="1.0" encoding="{encoding}"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>案件</name>
<Folder><name>三月</name>
 <Placemark><name>甲</name><description><![CDATA[<b>占道</b> & 经营]]></description>
  <TimeStamp><when>2026-03-04T09:30:00Z</when></TimeStamp>
  <ExtendedData><Data name="类别"><displayName>x</displayName><value>0401</value></Data>
   <SchemaData schemaUrl="#s"><SimpleData name="n">007</SimpleData></SchemaData></ExtendedData>
  <Style><IconStyle><Icon><href>a.png</href></Icon></IconStyle></Style>
  <Point><coordinates> 113.21 , 35.22 , 5 </coordinates></Point></Placemark>
 <Placemark><name>乙</name><Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 4,0 4,4 0,0</coordinates></LinearRing></outerBoundaryIs>
  <innerBoundaryIs><LinearRing><coordinates>1,0.5 2,0.5 2,1 1,0.5</coordinates></LinearRing></innerBoundaryIs></Polygon></Placemark>
</Folder>
<Placemark><name>丙</name><MultiGeometry><Point><coordinates>1,2</coordinates></Point><Point><coordinates>3,4</coordinates></Point></MultiGeometry></Placemark>
<Placemark><name>丁</name></Placemark>
<Placemark><name>戊</name><Point><coordinates>here</coordinates></Point></Placemark>
<Placemark><name>己</name><gx:Track><when>2026</when><gx:coord>1 2 0</gx:coord><gx:coord>3 4 0</gx:coord></gx:Track></Placemark>
<NetworkLink><name>x</name><Link><href>http://a/b.kml</href></Link></NetworkLink>
</Document></kml>"""

OPEN311 = """<?xml version="1.0" encoding="utf-8"?>
<service_requests>
 <request><service_request_id>638344</service_request_id><status>closed</status><lat>37.76</lat><long>-122.4</long>
  <media_url/><extra><a>1</a><a>2</a></extra></request>
 <request><service_request_id>638349</service_request_id><status>open</status></request>
</service_requests>"""


def opened(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source = open_source(path)
    return source, joined([batch for batch, _ in source.batches()])


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("UTF-8", "utf-8"), ("GBK", "gbk"), ("UTF-8", "gb18030"), ("UTF-16", "utf-16")],
)
def test_every_placemark_is_a_row(tmp_path, encoding, written):
    source, batch = opened(tmp_path / "a.kml", KML.format(encoding=encoding).encode(written))
    assert (source.format, source.n_rows) == ("kml", 6)
    assert source.columns == ("folder", "name", "description", "when", "类别", "n")
    assert batch.rows.tolist() == [1, 2, 3, 4, 6]
    assert [(one.row, one.reason) for one in batch.refused] == [(5, "unreadable_place")]
    assert batch.table["name"].to_pylist() == ["甲", "乙", "丙", "丁", "己"]
    assert batch.table["folder"].to_pylist()[:3] == ["案件/三月", "案件/三月", "案件"]
    assert batch.table["description"].to_pylist()[0] == "<b>占道</b> & 经营"
    assert (batch.table["类别"][0].as_py(), batch.table["n"][0].as_py()) == ("0401", "007")
    shapes = shapely.from_wkb(batch.wkb.to_numpy(zero_copy_only=False))
    assert shapes[0].wkt == "POINT (113.21 35.22)"
    assert (shapes[1].area, shapes[2].geom_type, shapes[3], shapes[4].geom_type) == (
        7.75,
        "MultiPoint",
        None,
        "LineString",
    )
    assert any("1 network links" in note.en for note in source.notes)


def test_a_kmz_is_read_without_its_pictures(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("files/a.png", b"\x89PNG")
        archive.writestr("doc.kml", KML.format(encoding="UTF-8"))
    assert open_source(tmp_path / "a.kmz").n_rows == 6


def test_kml_that_only_links_elsewhere_is_refused(tmp_path):
    text = "<kml><NetworkLink><Link><href>http://a</href></Link></NetworkLink></kml>"
    with pytest.raises(InputError, match="only 1 links to other files, which are not followed"):
        opened(tmp_path / "a.kml", text)


def test_open311_requests_are_rows_of_text(tmp_path):
    source, batch = opened(tmp_path / "requests.xml", OPEN311)
    assert (source.format, source.n_rows) == ("open311", 2)
    assert batch.table.to_pydict() == {
        "service_request_id": ["638344", "638349"],
        "status": ["closed", "open"],
        "lat": ["37.76", None],
        "long": ["-122.4", None],
        "media_url": ["", None],
        "extra.a": ["1; 2", None],
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<service_requests/>", "holds no service requests"),
        ("<services><service/></services>", "lists the services of an Open311 endpoint"),
        ("<errors><error><code>400</code><description>no such code</description></error></errors>", "refused: no such code"),
        ("<other/>", "is XML of <other>, which is not read"),
        (OPEN311[:200], "is cut short"),
        ("<service_requests><request></service_requests>", "is not well formed"),
        ('<kml xmlns="http://www.opengis.net/kml/2.2"></kml>', "KML without placemarks"),
        ('<gml:x xmlns:gml="http://www.opengis.net/gml/3.2"/>', "is GML; convert it"),
        ("<gpx></gpx>", "is GPX"),
        ("<OGRVRTDataSource></OGRVRTDataSource>", "may point anywhere"),
    ],
)  # fmt: skip
def test_other_xml_is_refused_in_a_sentence(tmp_path, text, sentence):
    with pytest.raises(InputError, match=sentence):
        opened(tmp_path / "a.xml", text)
