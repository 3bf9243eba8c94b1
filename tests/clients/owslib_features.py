"""OWSLib pages through every collection of a server, in each spelling of its CRS.

    owslib_features.py BASE [PAGE]

Each feature is seen once, and lies where PROJ's own cs2cs puts the position of the GeoJSON download. Exits with 1 at the
first difference.
"""

import json
import subprocess
import sys
import urllib.request

from owslib.ogcapi.features import Features

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
# Millimetres that seven decimals of a degree may cost, and three decimals of a metre.
TOLERANCE_M = 0.02
TOLERANCE_DEG = 2e-7


def spellings(epsg):
    """As clients write a CRS: OGC's URI, its URN, a safe CURIE, the plain code."""
    yield f"http://www.opengis.net/def/crs/EPSG/0/{epsg}"
    yield f"urn:ogc:def:crs:EPSG::{epsg}"
    yield f"[EPSG:{epsg}]"
    yield f"EPSG:{epsg}"


def first_position(geometry):
    if geometry is None:
        return None
    if geometry["type"] == "GeometryCollection":
        return first_position(geometry["geometries"][0])
    position = geometry["coordinates"]
    while isinstance(position[0], list):
        position = position[0]
    return tuple(position[:2])


def by_id(features):
    found = {}
    for feature in features:
        assert feature["id"] not in found, f"seen twice: {feature['id']}"
        found[feature["id"]] = first_position(feature["geometry"])
    return found


def reprojected(positions, epsg):
    """By cs2cs, in the axis order of the authority, which is that of the answer."""
    ids = [key for key, position in positions.items() if position]
    lines = "".join(f"{positions[key][1]!r} {positions[key][0]!r}\n" for key in ids)
    command = ["cs2cs", "-f", "%.9f", "EPSG:4171", f"EPSG:{epsg}"]
    out = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    moved = dict.fromkeys(positions)
    for key, line in zip(ids, out.splitlines(), strict=True):
        first, second = line.split()[:2]
        moved[key] = (float(first), float(second))
    return moved


def pages(server, layer, page, **asked):
    """Every feature, by the `next` links, as a list."""
    features, answer = [], server.collection_items(layer, limit=page, **asked)
    while True:
        assert answer["numberReturned"] == len(answer["features"]) <= page
        features += answer["features"]
        following = [link["href"] for link in answer["links"] if link["rel"] == "next"]
        if not following:
            return features
        with urllib.request.urlopen(following[0]) as response:
            answer = json.load(response)


def check(server, layer, page):
    collection = server.collection(layer)
    download = next(link["href"] for link in collection["links"] if link["rel"] == "enclosure" and link["type"] == "application/geo+json")
    with urllib.request.urlopen(download) as response:
        reference = by_id(json.load(response)["features"])
    count = server.collection_items(layer, limit=1)["numberMatched"]
    assert count == len(reference), f"{layer}: {count} matched, {len(reference)} downloaded"
    seen = 0
    plain = by_id(pages(server, layer, page))
    assert plain == reference, f"{layer}: other features or other places than the download's"
    offered = {uri.rsplit("/", 1)[1] for uri in collection.get("crs", []) if "/EPSG/" in uri}
    for epsg in sorted(offered & {"2154", "3948", "4326", "3857", "4171"}):
        expected = reprojected(reference, epsg)
        for spelling in spellings(epsg):
            # Pages by `next` once, then by offset, as OWSLib's users write it.
            if seen % 2 == 0:
                features = pages(server, layer, page, crs=spelling)
            else:
                features = [
                    feature
                    for offset in range(0, count, page)
                    for feature in server.collection_items(layer, limit=page, offset=offset, crs=spelling)["features"]
                ]
            found = by_id(features)
            assert found.keys() == expected.keys(), f"{layer}, {spelling}: {len(found)} features"
            tolerance = TOLERANCE_DEG if epsg in ("4326", "4171") else TOLERANCE_M
            for key, position in found.items():
                place = expected[key]
                if place is None or position is None:
                    assert place == position, f"{layer}, {spelling}, {key}: {position} for {place}"
                else:
                    far = max(abs(a - b) for a, b in zip(position, place, strict=True))
                    assert far <= tolerance, f"{layer}, {spelling}, {key}: {position} for {place}"
            seen += 1
    print(f"{layer}: {count} features, {seen} spellings of its CRS")


def main():
    server = Features(sys.argv[1])
    page = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    layers = server.feature_collections()
    assert layers, "no collection"
    for layer in layers:
        check(server, layer, page)


if __name__ == "__main__":
    main()
