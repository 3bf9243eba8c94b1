"""GDAL's OAPIF driver pages through a collection in each spelling of its CRS that the driver takes: each feature once, in its place.

    gdal_oapif.py BASE LAYER

Places are held against PROJ's cs2cs, made from the GeoJSON download.
"""

import json
import sys
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


def main():
    base, layer = sys.argv[1:]
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
