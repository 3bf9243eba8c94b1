"""Whether two files hold the same features: the comparison that a speed must pass before it counts."""

import numpy
import pyogrio.raw

# Degrees: a centimetre on the ground, the last decimal of a GeoJSON. Two roundings of one number may differ by it.
TOLERANCE = 1.0e-7 + 1e-9


def places(geometries):
    """Kinds and counts of every geometry, and all their coordinates, one after another."""
    shapes, runs = [], []
    for wkb in geometries:
        code = int.from_bytes(wkb[1:5], "little")
        at, rings = 5, 1
        shape = [code]
        if code == 3:
            rings, at = int.from_bytes(wkb[5:9], "little"), 9
        for _ in range(rings):
            count = 1
            if code != 1:
                count, at = int.from_bytes(wkb[at : at + 4], "little"), at + 4
            shape.append(count)
            runs.append(wkb[at : at + 16 * count])
            at += 16 * count
        assert at == len(wkb), f"geometry type {code} is not compared here"
        shapes.append(shape)
    return shapes, numpy.frombuffer(b"".join(runs))


def read(path):
    meta, fids, geometries, columns = pyogrio.raw.read(path, return_fids=True)
    columns = {name: column for name, column in zip(meta["fields"], columns) if name != "id"}
    texts = [numpy.array([str(value) for value in column], dtype=object) for column in columns.values()]
    return list(columns), fids, geometries, texts


def in_one_order(geometries, texts):
    """A file along a curve has another order: by all attributes, then by the first x."""
    rows = numpy.array(["\x1f".join(row) for row in zip(*texts)], dtype=object)
    _, groups = numpy.unique(rows, return_inverse=True)
    start = {1: 5, 2: 9, 3: 13}
    first = numpy.array([numpy.frombuffer(wkb, count=1, offset=start[wkb[1]])[0] for wkb in geometries])
    return numpy.lexsort((first, groups))


def compare(peer, ours, reordered):
    """Raises where features, attributes or coordinates differ; gives the greatest difference of a coordinate."""
    names, fids, geometries, texts = read(peer)
    names_ours, fids_ours, geometries_ours, texts_ours = read(ours)
    assert names == names_ours, (names, names_ours)
    assert len(geometries) == len(geometries_ours) > 0, (len(geometries), len(geometries_ours))
    if reordered:
        order, order_ours = in_one_order(geometries, texts), in_one_order(geometries_ours, texts_ours)
        geometries, geometries_ours = geometries[order], geometries_ours[order_ours]
        texts, texts_ours = [text[order] for text in texts], [text[order_ours] for text in texts_ours]
    else:
        # A GeoJSON of the peer has no ids; a reader counts from nought.
        assert peer.endswith(".geojson") or (fids == fids_ours).all(), "ids differ"
    for name, theirs, own in zip(names, texts, texts_ours):
        differ = numpy.flatnonzero(theirs != own)
        assert not len(differ), f"{name}: {theirs[differ[0]]} and {own[differ[0]]}"
    (shapes, theirs), (shapes_ours, own) = places(geometries), places(geometries_ours)
    assert shapes == shapes_ours, "geometries have other parts"
    greatest = float(numpy.abs(theirs - own).max())
    assert greatest <= TOLERANCE, f"a coordinate differs by {greatest} degree"
    return greatest
