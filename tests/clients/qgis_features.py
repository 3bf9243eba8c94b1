"""QGIS opens each collection of the town as its users do, and sees every feature.

    qgis_features.py BASE     with Debian's python3-qgis
"""

import json
import os
import sys
import urllib.request

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import QgsApplication  # noqa: E402
from qgis.core import QgsRectangle  # noqa: E402
from qgis.core import QgsFeatureRequest  # noqa: E402
from qgis.core import QgsVectorLayer  # noqa: E402


def asked(layer, served):
    """What QGIS filters and sorts is what the answers hold."""
    names = [key for key, value in served[0]["properties"].items() if isinstance(value, (str, int, float)) and not isinstance(value, bool)]
    for name in names[:3]:
        values = sorted(value for value in (feature["properties"][name] for feature in served) if value is not None)
        middle = values[len(values) // 2]
        text = "'{}'".format(middle.replace("'", "''")) if isinstance(middle, str) else middle
        request = QgsFeatureRequest().setFilterExpression(f'"{name}" = {text}')
        found = list(layer.getFeatures(request))
        assert len(found) == values.count(middle), f"{name} = {text}: {len(found)} of {values.count(middle)}"
        request = QgsFeatureRequest().setOrderBy(QgsFeatureRequest.OrderBy([QgsFeatureRequest.OrderByClause(name, False)]))
        ordered = [feature[name] for feature in layer.getFeatures(request)]
        ordered = [value for value in ordered if isinstance(value, (int, float))]
        assert ordered == sorted(ordered, reverse=True), f"{name}: {ordered[:5]}"
    if names:
        assert layer.setSubsetString(f'"{names[0]}" IS NOT NULL'), names[0]
        expected = sum(feature["properties"][names[0]] is not None for feature in served)
        assert len(list(layer.getFeatures())) == expected, names[0]
        layer.setSubsetString("")


def main():
    base = sys.argv[1]
    application = QgsApplication([], False)
    application.initQgis()
    with urllib.request.urlopen(f"{base}/collections") as response:
        collections = json.load(response)["collections"]
    for collection in collections:
        name = collection["id"]
        with urllib.request.urlopen(f"{base}/collections/{name}/items?limit=10000") as response:
            served = json.load(response)["features"]
        layer = QgsVectorLayer(f"url='{base}' typename='{name}' restrictToRequestBBOX='0' pageSize='7'", name, "OAPIF")
        assert layer.isValid(), f"{name}: {layer.error().message()}"
        found = list(layer.getFeatures())
        assert len(found) == len(served), f"{name}: {len(found)} of {len(served)}"
        fields = [field.name() for field in layer.fields()]
        for feature in served:
            assert all(key in fields for key in feature["properties"]), f"{name}: {fields}"
        if served[0]["geometry"]:
            middle = QgsRectangle(-1.98, 48.11, -1.94, 48.14)
            near = list(layer.getFeatures(QgsFeatureRequest().setFilterRect(middle)))
            assert 0 < len(near) <= len(found), f"{name}: {len(near)} in the middle"
        asked(layer, served)
        print(f"QGIS: {name}, {len(found)} features")
    sys.stdout.flush()
    # QGIS 3.22 crashes while Python takes its layers apart; drop when Debian 13 is the floor.
    os._exit(0)


if __name__ == "__main__":
    main()
