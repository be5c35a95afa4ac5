"""XML that reads other files or grows without end is refused before any of it is believed."""

import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers.source import open_source

LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
ATTACKS = {
    "growing": f'<!DOCTYPE x [<!ENTITY e0 "ha">{LAUGHS}]>',
    "reading a file": '<!DOCTYPE x [<!ENTITY e8 SYSTEM "file:///etc/passwd">]>',
    "asking the web": '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    "with parameters": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "body",
    [
        "<kml><Placemark><name>&e8;</name></Placemark></kml>",
        "<service_requests><request><a>&e8;</a></request></service_requests>",
    ],
)
def test_a_document_type_is_refused(tmp_path, attack, encoding, body):
    text = (
        f"<?xml version='1.0' encoding='{encoding}'?><!-- {'x' * 2000} -->{ATTACKS[attack]}{body}"
    )
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match=r"declares a document type or an entity \(<!DOCTYPE>\)"):
        open_source(tmp_path / "a.xml")


def test_an_undefined_entity_is_not_well_formed(tmp_path):
    (tmp_path / "a.kml").write_text("<kml><Placemark><name>&e8;</name></Placemark></kml>")
    with pytest.raises(InputError, match="is not well formed"):
        open_source(tmp_path / "a.kml")


def test_a_file_that_gdal_would_take_for_a_pointer_is_read_as_what_it_is(tmp_path):
    text = "<kml><!-- <OGRVRTDataSource> --><Placemark><name>x</name></Placemark></kml>"
    (tmp_path / "a.kml").write_text(text)
    assert open_source(tmp_path / "a.kml").format == "kml"
