"""QGIS reads the server: features (OGC API), vector tiles, and rasters (WMTS), without a screen.

QGIS is no package of Python: it is looked for beside the system's own Python (Debian: python3-qgis), and where it is not
there the tests are passed over.
"""

import json
import os
import shutil
import subprocess

import pytest

QGIS = """
import json, os, sys
from urllib.parse import quote
from qgis.core import (
    QgsApplication, QgsCoordinateReferenceSystem as Crs, QgsCoordinateTransform, QgsFeatureRequest, QgsFillSymbol,
    QgsMapRendererSequentialJob, QgsMapSettings, QgsProject, QgsRasterLayer, QgsRectangle, QgsVectorLayer,
    QgsVectorTileBasicRenderer, QgsVectorTileBasicRendererStyle, QgsVectorTileLayer, QgsWkbTypes,
)
from qgis.PyQt.QtCore import QSize

base, app, said = sys.argv[1], QgsApplication([], False), {}
app.initQgis()

def features(name, crs=""):
    return QgsVectorLayer(f"url='{base}' typename='{name}' {crs}", name, "OAPIF")

def drawn(layer, box):
    "The colours of a picture of a layer."
    at = QgsMapSettings()
    at.setLayers([layer])
    at.setDestinationCrs(Crs("EPSG:3857"))
    at.setExtent(box)
    at.setOutputSize(QSize(200, 200))
    job = QgsMapRendererSequentialJob(at)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    return sorted({picture.pixelColor(x, y).name() for x in range(0, 200, 5) for y in range(0, 200, 5)})

reports = features("reported_issues")
said["valid"] = reports.isValid()
said["fields"] = [field.name() for field in reports.fields()]
said["n"] = len({feature["issue_id"] for feature in reports.getFeatures()})
box = reports.extent()
half = QgsFeatureRequest().setFilterRect(QgsRectangle(box.xMinimum(), box.yMinimum(), box.center().x(), box.yMaximum()))
said["half"] = len(list(reports.getFeatures(half)))
said["first"] = [feature.geometry().asPoint().x() for feature in reports.getFeatures('"issue_id" = \\'A-0000\\'')]
said["toilets"] = len(list(reports.getFeatures('"category" = \\'dry_toilet\\'')))
said["areas"] = sorted(feature["name_zh"] for feature in features("communities").getFeatures())
to_map = QgsCoordinateTransform(Crs("EPSG:4326"), Crs("EPSG:3857"), QgsProject.instance())
box = to_map.transformBoundingBox(features("communities").extent())
address = quote(f"{base}/tiles/communities/{{z}}/{{x}}/{{y}}.mvt", safe=":/")
tiles = QgsVectorTileLayer(f"type=xyz&url={address}&zmin=8&zmax=14", "tiles")
style = QgsVectorTileBasicRendererStyle("areas", "communities", QgsWkbTypes.PolygonGeometry)
style.setSymbol(QgsFillSymbol.createSimple({"color": "#ff0000", "outline_style": "no"}))
style.setFilterExpression('"community_code" = \\'410105001001\\'')
style.setEnabled(True)
renderer = QgsVectorTileBasicRenderer()
renderer.setStyles([style])
tiles.setRenderer(renderer)
said["tiles"] = [tiles.isValid(), drawn(tiles, box)]
capabilities = quote(f"{base}/wmts/1.0.0/WMTSCapabilities.xml", safe="")
density = QgsRasterLayer(
    "crs=EPSG:3857&format=image/png&layers=issue_density&styles=default&tileMatrixSet=WebMercatorQuad"
    f"&url={capabilities}", "density", "wms")
there = density.extent()
said["wmts"] = [density.isValid(), drawn(density, there) if density.isValid() else density.error().message()]
print(json.dumps(said), flush=True)
os._exit(0)  # QGIS ends slowly, and sometimes badly
"""


def system_python():
    """A Python that has QGIS; None where there is none."""
    for name in ("/usr/bin/python3", shutil.which("python3")):
        if name and os.path.exists(name):  # noqa: PTH110 - a command's name
            found = subprocess.run([name, "-c", "import qgis.core"], capture_output=True, env=bare(), check=False)  # fmt: skip
            if found.returncode == 0:
                return name
    return None


def bare(**more):
    """The environment without this Python's own paths."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}  # fmt: skip
    return {**kept, "QT_QPA_PLATFORM": "offscreen", **more}


@pytest.fixture(scope="module")
def seen(live, tmp_path_factory):
    """What QGIS makes of the server."""
    python = system_python()
    if python is None:
        pytest.skip("QGIS is not installed (on Debian: apt-get install python3-qgis)")
    home = str(tmp_path_factory.mktemp("qgis"))
    found = subprocess.run(
        [python, "-c", QGIS, live], capture_output=True, text=True, timeout=300, check=False,
        env=bare(HOME=home, XDG_RUNTIME_DIR=home, QGIS_CUSTOM_CONFIG_PATH=home),
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def test_qgis_reads_features_whole_by_place_and_by_value(seen):
    assert seen["valid"]
    assert {"issue_id", "category", "reported_at"} <= set(seen["fields"])
    assert seen["n"] == 200
    assert 0 < seen["half"] < 200
    assert seen["toilets"] == 50
    assert seen["areas"] == ["东风社区", "红旗社区"]
    (lon,) = seen["first"]
    assert 113.9 < lon < 114.1


def test_qgis_draws_vector_tiles(seen):
    is_valid, colours = seen["tiles"]
    assert is_valid
    assert "#ff0000" in colours
    assert len(colours) > 1  # the other community is left out by the style's filter


def test_qgis_draws_rasters_by_wmts(seen):
    is_valid, colours = seen["wmts"]
    assert is_valid, colours
    assert len(colours) > 1
