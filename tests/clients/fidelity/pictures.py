"""QGIS makes layers, styles and its own picture of each.

    pictures.py DEPOT PICTURES SHARED    with Debian's python3-qgis

Leaves ID.gpkg and ID.qml in DEPOT, ID-qgis.png and styles.json in PICTURES. The styles of SHARED/data are drawn too.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import QgsApplication  # noqa: E402
from qgis.core import QgsCoordinateReferenceSystem  # noqa: E402
from qgis.core import QgsMapRendererParallelJob  # noqa: E402
from qgis.core import QgsMapSettings  # noqa: E402
from qgis.core import QgsRectangle  # noqa: E402
from qgis.PyQt.QtCore import QSize  # noqa: E402
from qgis.PyQt.QtGui import QColor  # noqa: E402

import layers  # noqa: E402
from styles import STYLES  # noqa: E402

SIDE_PX, ZOOM = 512, 15
RADIUS_M = 6378137
# Web Mercator, true to scale in the middle of the map: there the metres and the scales of an officer's map are those of the
# ground, and everything lies where it lies in EPSG:3857.
CRS = "+proj=merc +R={r} +lat_ts={lat} +units=m +no_defs"
# Styles of strangers, by the layers that suit them.
STRANGERS = {"point_categories": "point", "point_ranges": "point", "line_label_follow_line": "line", "polygon_simple": "polygon"}


def extent(lon, lat):
    """What a web map of that size shows around its middle."""
    scale = math.cos(math.radians(lat))
    x, y = RADIUS_M * math.radians(lon) * scale, RADIUS_M * math.asinh(math.tan(math.radians(lat))) * scale
    half = math.pi * RADIUS_M * scale / 2**ZOOM * SIDE_PX / 512
    return QgsRectangle(x - half, y - half, x + half, y + half)


def picture(layer, path):
    settings = QgsMapSettings()
    settings.setDestinationCrs(QgsCoordinateReferenceSystem.fromProj(CRS.format(r=RADIUS_M, lat=layers.MIDDLE[1])))
    settings.setExtent(extent(*layers.MIDDLE))
    settings.setOutputSize(QSize(SIDE_PX, SIDE_PX))
    settings.setOutputDpi(96)
    settings.setBackgroundColor(QColor("white"))
    settings.setFlag(QgsMapSettings.Antialiasing, True)
    settings.setFlag(QgsMapSettings.DrawLabeling, False)
    settings.setLayers([layer])
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors(), [error.message for error in job.errors()]
    assert job.renderedImage().save(str(path)), path


def styled(name, kind, depot, apply):
    layer = layers.write(kind, depot / f"{name}.gpkg")
    assert layer.isValid(), name
    apply(layer)
    return layer


def made(depot):
    """Each style with its layer, saved beside it."""
    for name, (kind, make) in STYLES.items():
        layer = styled(name, kind, depot, lambda layer: layer.setRenderer(make(layer)))
        message, saved = layer.saveNamedStyle(str(depot / f"{name}.qml"))
        assert saved, message
        yield name, layer


def given(depot, data):
    """The styles that others saved, as they are."""
    paths = [(path, STRANGERS[path.stem]) for path in sorted((data / "styles").glob("*.qml"))]
    paths += [(path, "polygon") for path in sorted((data / "montfort").glob("**/*.qml"))]
    for path, kind in paths:
        (depot / f"{path.stem}.qml").write_bytes(path.read_bytes())
        layer = styled(path.stem, kind, depot, lambda layer: layer.loadNamedStyle(str(path)))
        layer.setLabelsEnabled(False)
        yield path.stem, layer


def main():
    depot, pictures, shared = map(Path, sys.argv[1:])
    application = QgsApplication([], False)
    application.initQgis()
    names = []
    for name, layer in [*made(depot), *given(depot, shared / "data")]:
        picture(layer, pictures / f"{name}-qgis.png")
        names.append(name)
    said = {"middle": layers.MIDDLE, "zoom": ZOOM, "side_px": SIDE_PX, "styles": names}
    (pictures / "styles.json").write_text(json.dumps(said))
    print(f"QGIS: {len(names)} styles drawn", flush=True)
    # QGIS 3.22 crashes while Python takes its layers apart; drop when Debian 13 is the floor.
    os._exit(0)


if __name__ == "__main__":
    main()
