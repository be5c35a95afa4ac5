from gisgrid.tiles import warm, warm_up
from gisgrid.tiles.points.features import write_features
from gisgrid.tiles.points.search import square_run
from gisgrid.tiles.points.whole import _whole


def test_warming_up_goes_through_every_piece_on_the_list(monkeypatch):
    done = []
    monkeypatch.setattr(warm, "_WARM_UPS", [lambda: done.append(1), lambda: done.append(2)])
    assert warm_up() == 3
    assert done == [1, 2]


def test_after_warming_up_no_tile_of_points_compiles(reports, as_table, source_of):
    warm_up()
    before = [len(loop.signatures) for loop in (write_features, square_run, _whole)]
    assert min(before) >= 1
    source_of(as_table(reports(200))).tile(9, 418, 202)
    assert [len(loop.signatures) for loop in (write_features, square_run, _whole)] == before
