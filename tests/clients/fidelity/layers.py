"""A small town to draw: points, lines and polygons around the middle of a map, with a class and a number each, as GeoPackages.

Made by arithmetic, so that every run draws the same.
"""

import math
import random

from qgis.core import QgsCoordinateTransformContext
from qgis.core import QgsFeature
from qgis.core import QgsGeometry
from qgis.core import QgsPointXY
from qgis.core import QgsVectorFileWriter
from qgis.core import QgsVectorLayer

MIDDLE = (-1.96, 48.13)
# A map of 512 pixels at zoom 15 is one tile wide: 0.011° by 0.0073°.
WIDE, HIGH = 0.0110, 0.0073
CLASSES = ["Forêt", "Pré", "Eau", "Bâti", "Autre"]
# Fields that the styles of strangers ask for, too.
FIELDS = "field=nom:string(20)&field=nature:string(20)&field=n:integer&field=mesure:double&field=Bildpositi:integer&field=PlotNr:double&field=locality_name:string(20)"


def point(x, y):
    """A place on the map: 0 to 1 from the west to the east, from the south to the north."""
    return QgsPointXY(MIDDLE[0] + (x - 0.5) * WIDE, MIDDLE[1] + (y - 0.5) * HIGH)


def points():
    chance = random.Random(1)
    for column in range(9):
        for row in range(9):
            yield QgsGeometry.fromPointXY(point((column + 0.5 + chance.uniform(-0.2, 0.2)) / 9, (row + 0.5 + chance.uniform(-0.2, 0.2)) / 9))


def lines():
    chance = random.Random(2)
    for at in range(12):
        y = (at + 0.5) / 12
        bend = [(x / 6, y + chance.uniform(-0.03, 0.03)) for x in range(-1, 8)]
        yield QgsGeometry.fromPolylineXY([point(*place) if at % 3 else point(*reversed(place)) for place in bend])


def polygons():
    """Blots, one with a hole, with air between them."""
    chance = random.Random(3)
    for column in range(5):
        for row in range(5):
            x, y = (column + 0.5) / 5, (row + 0.5) / 5
            radii = [chance.uniform(0.07, 0.095) for _ in range(9)]
            ring = [point(x + r * math.cos(2 * math.pi * at / 9), y + r * math.sin(2 * math.pi * at / 9)) for at, r in enumerate(radii)]
            hole = [point(x + 0.03 * dx, y + 0.03 * dy) for dx, dy in [(-1, -1), (1, -1), (1, 1), (-1, 1)]]
            yield QgsGeometry.fromPolygonXY([ring, hole] if (column + row) % 4 == 0 else [ring])


KINDS = {"point": ("Point", points), "line": ("LineString", lines), "polygon": ("Polygon", polygons)}


def write(kind, path):
    """The layer of that kind, kept in a GeoPackage of its own and opened from there."""
    geometry, places = KINDS[kind]
    memory = QgsVectorLayer(f"{geometry}?crs=EPSG:4326&{FIELDS}", kind, "memory")
    for at, place in enumerate(places()):
        feature = QgsFeature(memory.fields())
        feature.setAttributes([f"{kind} {at}", CLASSES[at % len(CLASSES)], at, at * 1.5, at % 5, float(at % 100 + 1), "Lieu"])
        feature.setGeometry(place)
        memory.dataProvider().addFeature(feature)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", path.stem
    written = QgsVectorFileWriter.writeAsVectorFormatV3(memory, str(path), QgsCoordinateTransformContext(), options)
    assert written[0] == QgsVectorFileWriter.NoError, written
    return QgsVectorLayer(str(path), path.stem, "ogr")
