import pytest
from gisgrid_server.edge.problems import NotAcceptableError
from gisgrid_server.tiles.addresses import is_ogc_tile, ogc_address

TILE = "/collections/streets/tiles/WebMercatorQuad/14/6476/13354"
MAP = "/collections/density/map/tiles/WebMercatorQuad/14/6476/13354"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (TILE, b""),
        (TILE, b"*/*"),
        (TILE, b"application/vnd.mapbox-vector-tile"),
        (TILE, b"application/x-protobuf"),
        (TILE, b"text/html, application/*;q=0.1"),
        (MAP, b"image/avif,image/webp,*/*;q=0.8"),
        (MAP, b"image/png"),
    ],
)
def test_a_tile_is_given_to_whoever_takes_it(path, accept):
    assert ogc_address(path, b"", accept).suffix == ("png" if path == MAP else "mvt")


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (TILE, b"text/html"),
        (TILE, b"image/png"),
        (TILE, b"*/*;q=0"),
        (TILE, b"x" * 30_000),
        (MAP, b"application/vnd.mapbox-vector-tile"),
        (MAP, b"image/png;q=0, text/html"),
    ],
)
def test_who_takes_no_tile_gets_none_and_who_says_f_is_taken_at_his_word(path, accept):
    with pytest.raises(NotAcceptableError, match=r"Accept: .* ask for"):
        ogc_address(path, b"", accept)
    form = "png" if path == MAP else "mvt"
    assert ogc_address(path, f"f={form}".encode(), accept).suffix == form


def test_several_layers_go_into_one_tile_here_too():
    path = "/collections/streets,communities/tiles/WebMercatorQuad/14/6476/13354"
    assert is_ogc_tile(path)
    assert ogc_address(path, b"").names == "streets,communities"
    assert ogc_address("/collections/streets/tiles/WebMercatorQuad", b"") is None
