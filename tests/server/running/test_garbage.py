"""What stays is left out of the search for garbage."""

import gc

from gisgrid_server.running.garbage import settle


def test_what_is_there_is_gone_through_no_more():
    cycle = []
    cycle.append(cycle)
    del cycle
    try:
        settle()
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects()) < 10_000
    finally:
        gc.unfreeze()
