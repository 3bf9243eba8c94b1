"""GDAL's OAPIF driver pages through a collection in each spelling of its CRS that the driver takes: each feature once, in its place;
and asks it by attributes, which the server answers (OGC API - Features Part 3).

    gdal_oapif.py BASE LAYER

Places are held against PROJ's cs2cs, made from the GeoJSON download.
"""

import json
import sys
import tempfile
import urllib.request

import numpy
import pyogrio
import pyogrio.raw
from owslib_features import CRS84
from owslib_features import TOLERANCE_DEG
from owslib_features import TOLERANCE_M
from owslib_features import by_id
from owslib_features import reprojected


def points(wkb):
    """Easts and norths as GDAL gives them: x first, whatever the authority says."""
    buffer = numpy.frombuffer(b"".join(wkb), dtype=numpy.dtype([("order", "u1"), ("code", "<u4"), ("x", "<f8"), ("y", "<f8")]))
    return buffer["x"], buffer["y"]


def filtered(base, layer):
    """What GDAL's own filter leaves of the download, the server leaves of the collection, in one page where GDAL asks it."""
    with tempfile.TemporaryDirectory() as folder:
        download, _ = urllib.request.urlretrieve(f"{base}/downloads/{layer}/{layer}.geojson", f"{folder}/{layer}.geojson")
        compare(base, layer, download)


def compare(base, layer, download):
    for where in ("numero < 50", "nom = 'Point n° 77'", "nom LIKE 'Point n° 1999_'", "numero >= 199990 OR numero = 3", "NOT (numero > 2)"):
        _, expected, _, _ = pyogrio.raw.read(download, where=where, return_fids=True, read_geometry=False)
        _, found, _, _ = pyogrio.raw.read(f"OAPIF:{base}", layer=layer, where=where, return_fids=True, read_geometry=False, PAGE_SIZE="10000")
        assert sorted(found.tolist()) == sorted(expected.tolist()) and len(found), f"{where}: {len(found)} of {len(expected)}"
        print(f"GDAL {pyogrio.__gdal_version_string__}, where {where}: {len(found)} features")
    ordered = f"SELECT * FROM {layer} WHERE numero BETWEEN 100 AND 1200 ORDER BY nom DESC, numero"
    expected, found = (
        pyogrio.raw.read(source, sql=ordered, sql_dialect="OGRSQL", read_geometry=False)[3][1].tolist()
        for source in (download, f"OAPIF:{base}")
    )
    assert found == expected and len(found) == 1101, ordered
    print(f"GDAL {pyogrio.__gdal_version_string__}, {ordered}: {len(found)} features")


def main():
    base, layer = sys.argv[1:]
    filtered(base, layer)
    with urllib.request.urlopen(f"{base}/downloads/{layer}/{layer}.geojson") as response:
        reference = {int(key): place for key, place in by_id(json.load(response)["features"]).items()}
    for crs in (None, CRS84, "http://www.opengis.net/def/crs/EPSG/0/4326", "http://www.opengis.net/def/crs/EPSG/0/2154", "EPSG:3948"):
        options = {"CRS": crs} if crs else {}
        _, fids, wkb, _ = pyogrio.raw.read(f"OAPIF:{base}", layer=layer, return_fids=True, PAGE_SIZE="10000", **options)
        epsg = None if crs in (None, CRS84) else crs.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
        expected = reprojected(reference, epsg) if epsg else reference
        assert len(set(fids.tolist())) == len(fids) == len(expected), f"{crs}: {len(fids)} features"
        x, y = points(wkb)
        places = numpy.array([expected[fid] for fid in fids.tolist()])
        first, second = (places[:, 1], places[:, 0]) if epsg == "4326" else (places[:, 0], places[:, 1])
        tolerance = TOLERANCE_DEG if epsg in (None, "4326") else TOLERANCE_M
        far = max(numpy.abs(x - first).max(), numpy.abs(y - second).max())
        assert far <= tolerance, f"{crs}: {far} away"
        print(f"GDAL {pyogrio.__gdal_version_string__}, {crs or 'as it comes'}: {len(fids)} features, at most {far:.2g} away")


if __name__ == "__main__":
    main()
