"""A criterion that nothing can fail is none: series that are flat, and series that leak."""

import runpy
from pathlib import Path

import numpy as np
import pytest

FLATNESS = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "flatness.py"))
judged, private_mb = FLATNESS["judged"], FLATNESS["private_mb"]

HOUR = np.arange(0.0, 3600.0, 5.0)
MINUTE = np.arange(0.0, 60.0, 1.0)


def noise(times, *, size=4.0, seed=1):
    return np.random.default_rng(seed).normal(0, size, len(times))


def waves(times, *, height=40.0, lasts_s=90.0):
    """What comes in is kept until it is merged."""
    return height * (times % lasts_s) / lasts_s


@pytest.mark.parametrize("times", [HOUR, MINUTE])
def test_noise_is_flat(times):
    found = judged(times, 400 + noise(times))
    assert found.is_flat
    assert found.is_judged


def test_waves_and_spikes_are_flat():
    spikes = np.where(np.arange(len(HOUR)) % 97 == 0, 300.0, 0.0)
    assert judged(HOUR, 400 + waves(HOUR) + noise(HOUR) + spikes).is_flat


def test_memory_that_is_given_back_is_flat():
    assert judged(HOUR, 400 - HOUR / 60).is_flat
    assert judged(MINUTE, 400 - MINUTE).is_flat


@pytest.mark.parametrize("mb_per_min", [0.6, 1.0, 10.0])
def test_a_slow_leak_shows_in_an_hour_under_noise_and_waves(mb_per_min):
    found = judged(HOUR, 400 + waves(HOUR) + noise(HOUR) + mb_per_min * HOUR / 60)
    assert not found.is_flat
    assert found.is_judged


def test_a_leak_that_is_late_shows():
    assert not judged(HOUR, 400 + noise(HOUR) + np.maximum(0, HOUR - 1200) / 60).is_flat


def test_a_fast_leak_shows_in_a_minute():
    assert not judged(MINUTE, 400 + noise(MINUTE) + MINUTE * 1.5).is_flat


def test_a_few_samples_are_not_judged_whatever_they_show():
    found = judged(MINUTE[:10], 400 + 50 * MINUTE[:10])
    assert found.is_flat
    assert not found.is_judged
    assert "10 samples" in found.said


def test_a_machine_that_stood_still_is_not_judged():
    times = np.append(np.arange(0.0, 20.0), 60.0)
    assert not judged(times, 400 + times).is_judged


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux alone tells it")
def test_pages_that_were_written_to_are_counted():
    import os

    before = private_mb(os.getpid())
    written = np.ones(64_000_000, np.uint8)
    assert 50 < private_mb(os.getpid()) - before < 80
    assert written[-1] == 1
