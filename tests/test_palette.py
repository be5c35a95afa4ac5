"""The colours of hotspots stay apart for colour-blind readers, in a grey print, and by night."""

import json
from itertools import combinations

import numpy as np
import pytest

from gisgrid import palette

# Full loss of the red or the green cones, in linear light: Machado, Oliveira & Fernandes 2009, table of severity 1.0.
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]
SIGHTS = {
    "usual": np.eye(3),
    "protanopia": np.array(PROTANOPIA),
    "deuteranopia": np.array(DEUTERANOPIA),
}
# CIELAB from linear sRGB under D65 (IEC 61966-2-1).
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)
# About 2.3 is just noticeable side by side; on a map classes are compared across a distance.
LEAST_BETWEEN_CLASSES = 10.0
LEAST_HOT_TO_COLD = 18.0


def lab(colour, *, sight=SIGHTS["usual"]):
    encoded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(sight @ linear, 0, 1) / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(a, b, sight):
    """ΔE*ab (CIE 1976) of two colours for one kind of sight."""
    return float(np.linalg.norm(lab(a, sight=sight) - lab(b, sight=sight)))


@pytest.fixture(scope="session")
def night(project):
    """What each colour of the palette becomes by night, in the web map."""
    return json.loads((project / "server/web/src/night.json").read_text(encoding="utf-8"))


def hotspot_colours(ground, night=None):
    day = {label: colour or palette.GROUND for label, colour in palette.GI_COLOURS.items()}
    return day if night is None else {label: night[colour] for label, colour in day.items()}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("time", ["day", "night"])
def test_the_seven_classes_stay_apart_for_every_sight(sight, time, night):
    colours = hotspot_colours(palette.GROUND, night if time == "night" else None)
    apart = {
        (a, b): difference(colours[a], colours[b], SIGHTS[sight])
        for a, b in combinations(colours, 2)
    }
    closest = min(apart, key=apart.get)
    assert apart[closest] >= LEAST_BETWEEN_CLASSES, (closest, apart[closest])


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("time", ["day", "night"])
def test_hot_is_never_taken_for_cold(sight, time, night):
    colours = hotspot_colours(palette.GROUND, night if time == "night" else None)
    hot = [colour for label, colour in colours.items() if label.startswith("hot")]
    cold = [colour for label, colour in colours.items() if label.startswith("cold")]
    least = min(difference(a, b, SIGHTS[sight]) for a in hot for b in cold)
    assert least >= LEAST_HOT_TO_COLD


@pytest.mark.parametrize("side", ["hot", "cold"])
def test_stronger_classes_stand_out_more_from_the_ground(side, night):
    labels = [f"{side}_{level}" for level in (90, 95, 99)]
    by_day = [lab(palette.GI_COLOURS[label])[0] for label in labels]
    by_night = [lab(night[palette.GI_COLOURS[label]])[0] for label in labels]
    assert by_day == sorted(by_day, reverse=True)
    assert by_night == sorted(by_night)


@pytest.mark.parametrize("ramp", [palette.DENSITY_RAMP, palette.RATE_RAMP])
def test_ramps_go_from_light_to_dark_in_even_steps(ramp):
    lightness = np.array([lab(colour)[0] for colour in ramp])
    steps = -np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() < 3 * steps.min()


def test_every_colour_with_a_meaning_has_its_counterpart_by_night(night):
    colours = [
        palette.GROUND,
        palette.URBAN_VILLAGE,
        palette.SUBURBAN_VILLAGE,
        palette.FRINGE,
        *palette.RATE_RAMP,
    ]
    colours += [colour for colour in palette.GI_COLOURS.values() if colour is not None]
    assert [colour for colour in colours if colour not in night] == []
    assert night[palette.GROUND] == palette.GROUND_DARK
