from gisgrid.features import compile_loops
from gisgrid.features.filters import column_tests


def test_after_warming_up_no_loop_has_to_be_compiled():
    compile_loops()
    loop = column_tests._looked_up
    known = {signature[0].dtype.name for signature in loop.signatures}
    assert known >= {"uint8", "uint16", "uint32"}
