"""A page of a thousand features in a box, against who answers the same: MapServer, and libdeflate for its compression.

A figure counts only after the answers to the first boxes were looked at.
"""

import gzip
import re
import subprocess
import time

import deflate

import convert
import mapserver

LOOKED_AT = 20
ITEMS = "{}/items?f=json&limit=1000&bbox={{w:.6f}},{{s:.6f}},{{e:.6f}},{{n:.6f}}"
WFS = (
    "ows?map=bench&SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES={}&SRSNAME=EPSG:4326&COUNT=1000"
    "&BBOX={{s:.6f}},{{w:.6f}},{{n:.6f}},{{e:.6f}},urn:ogc:def:crs:EPSG::4326"
)


def asked(bench, collection, source, name):
    """Pages of an OGC API; the boxes are the same for every collection."""
    return bench.asks("pages", ITEMS.format(collection), source, name)


def lines(file):
    return file.read_text().split()


def gzipped(table, bench, server, boxes, page_us):
    """What compression adds to a page, beside libdeflate's level 1 over the same bytes in a process of its own."""
    alone, ours, theirs = 0.0, 0, 0
    for place, path in enumerate(lines(boxes)):
        body = server.read(path)
        began = time.process_time()
        compressed = deflate.gzip_compress(body, 1)
        alone += time.process_time() - began
        if place < LOOKED_AT:
            answer = server.read(path, "gzip")
            assert gzip.decompress(answer) == body, path
            ours, theirs = ours + len(answer), theirs + len(compressed)
    alone_us = alone / len(lines(boxes)) * 1e6
    found = bench.cpu_us(server, "gzip", boxes, features=1000, encoding="gzip")
    table.row("a page of 1000 polygons, gzipped", found, "us")
    table.row("  libdeflate level 1 over the same bytes", alone_us, "us")
    added = (found - page_us) / alone_us
    table.row("  what gzip adds to the page, by libdeflate's", added, "x", "at most 1 (aim 0)", added <= 1)
    table.row("  bytes, by libdeflate's", ours / theirs, "x")


def flatgeobuf(bench, source, epsg):
    file = bench.folder / f"{source.stem}-{epsg}.fgb"
    if not file.exists():
        made = file.with_suffix(".part.fgb")
        subprocess.run(["ogr2ogr", "-f", "FlatGeobuf", "-t_srs", f"EPSG:{epsg}", made, source, "batiments"], check=True)
        made.rename(file)
    return file.resolve()


def wfs(table, bench, server, boxes, source, page_us):
    """MapServer's WFS in its cheapest form: GML over FlatGeobuf, in the source's CRS and projected beforehand."""
    names = {2154: "batiments", 4326: "batiments_4326"}
    layers = [
        mapserver.layer(name, epsg, f'CONNECTIONTYPE FLATGEOBUF DATA "{flatgeobuf(bench, source, epsg)}"', "id_parcelle")
        for epsg, name in names.items()
    ]
    with mapserver.MapServer(layers) as peer:
        for epsg, name in names.items():
            paths = bench.asks("pages", WFS.format(name), source, name)
            for ours, theirs in zip(lines(boxes)[:LOOKED_AT], lines(paths)):
                page, hits = server.json(ours), peer.read(theirs.replace("COUNT=1000", "RESULTTYPE=hits"))
                there = peer.read(theirs).count(b"<wfs:member>")
                assert page["numberReturned"] == there == 1000, (there, theirs)
                # Its FlatGeobuf loses one feature of a box.
                matched = int(re.search(rb'numberMatched="(\d+)"', hits)[1])
                assert page["numberMatched"] - matched in (0, 1), (page["numberMatched"], matched)
            found = bench.cpu_us(peer, name, paths, features=1000)
            table.row(f"the same page of MapServer's WFS, from EPSG:{epsg}", found, "us")
            convert.times(table, "  times ours", found / page_us, 40, 150)
