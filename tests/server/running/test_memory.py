"""What a worker does for its memory."""

import ctypes
import gc
import subprocess
import sys

import pytest
from gisgrid_server.running.memory import settle


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


THREADS = """
import ctypes, sys, threading
from gisgrid_server.running.memory import share_heaps
if sys.argv[1] == "shared":
    share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
found, gate = set(), threading.Barrier(8)
def take():
    gate.wait()
    found.add(libc.malloc(1000) >> 26)  # a heap of glibc lies within 64 MB
    gate.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
print(len(found))
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no mallopt"
)
def test_threads_share_heaps():
    def heaps(how):
        return int(
            subprocess.run(
                [sys.executable, "-c", THREADS, how], check=True, capture_output=True, text=True
            ).stdout
        )

    assert heaps("own") > 3
    assert heaps("shared") <= 3  # one may lie across a border
