"""Conversions and publications against GDAL: who needs less CPU for the same files.

The peer is the GDAL of pyogrio's wheel, called as ogr2ogr would call it (peers/ogr2ogr-wheel.py of the shared
measurements). Runs alternate, A B A B. Each program's start-up, the same conversion of one feature, is taken off. A figure
counts only after `same.compare` found the same features in both files.
"""

import os
import statistics
import sys
import time
from pathlib import Path

import same

LAYERS = ["adresses", "batiments", "voies"]
FORMATS = {
    "geojson": ["-f", "GeoJSON", "-lco", "RFC7946=YES"],
    "fgb": ["-f", "FlatGeobuf", "-t_srs", "EPSG:4326"],
    "gpkg": ["-f", "GPKG", "-t_srs", "EPSG:4326"],
}
# The downloads of a publication, as the peer makes them one by one. GeoPackage and Shapefile stay in the source's CRS.
DOWNLOADS = {
    "geojson": FORMATS["geojson"],
    "gpkg": ["-f", "GPKG"],
    "shz": ["-f", "ESRI Shapefile"],
    "fgb": FORMATS["fgb"],
    "csv": ["-f", "CSV", "-t_srs", "EPSG:4326", "-lco", "GEOMETRY={}"],
    "excel.csv": ["-f", "CSV", "-t_srs", "EPSG:4326", "-lco", "GEOMETRY={}", "-lco", "SEPARATOR=SEMICOLON"],
}
ROUNDS = {"S": 3, "L": 2}


def measured(command):
    """CPU seconds, children included, wall seconds, and peak megabytes of the largest of them."""
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    _, status, use = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"failed ({status}): {' '.join(map(str, command))}")
    return use.ru_utime + use.ru_stime, wall, use.ru_maxrss / 1000


def times(table, what, found, least, aim):
    """A ratio to a peer: at least so many times less, better so many."""
    table.row(what, found, "x", f"at least {least} (aim {aim})", found >= least)


class Sides:
    def __init__(self, bocage, bench, folder):
        self.bocage = bocage
        self.peer = [sys.executable, f"{bench}/peers/ogr2ogr-wheel.py"]
        self.folder = Path(folder)

    def theirs(self, options, layer, source, target):
        return [*self.peer, *[option.format("AS_XY" if layer == "adresses" else "AS_WKT") for option in options], target, source, layer]

    def ours(self, form, layer, source, target):
        return [self.bocage, "convert", "--to", form, "--layer", layer, source, target]

    def run(self, command, target):
        if os.path.exists(target):
            os.remove(target)
        return measured(command)

    def one(self, source, layer):
        """A file of one feature: what remains of a conversion is the start of the program."""
        os.makedirs(self.folder / "one", exist_ok=True)
        target = str(self.folder / "one" / f"{layer}.gpkg")
        self.run(self.theirs(["-f", "GPKG", "-limit", "1"], layer, source, target), target)
        return target


def net(sides, form, layer, source, rounds):
    """CPU seconds of the peer and of ours without their start-ups, and CPU and wall seconds of our quickest run."""
    theirs, ours = (str(sides.folder / f"{side}-{layer}.{form}") for side in ("peer", "ours"))
    pairs = lambda of: (sides.run(sides.theirs(FORMATS[form], layer, of, theirs), theirs), sides.run(sides.ours(form, layer, of, ours), ours))
    first = sides.one(source, layer)
    starts = [pairs(first) for _ in range(3)]
    runs = [pairs(source) for _ in range(rounds)]
    same.compare(theirs, ours, form == "fgb")
    os.remove(theirs), os.remove(ours)
    middle = lambda figures, side: statistics.median(figure[side][0] for figure in figures)
    return (
        max(middle(runs, 0) - middle(starts, 0), 1e-3),
        max(middle(runs, 1) - middle(starts, 1), 1e-3),
        # Somebody else's minute on this machine takes cores: the quickest run says how many were asked for.
        *min((figure[1][:2] for figure in runs), key=lambda spent: spent[1]),
    )


def conversions(table, size, source, bocage, bench, folder):
    sides = Sides(bocage, bench, folder)
    found = {(form, layer): net(sides, form, layer, source, ROUNDS[size]) for form in FORMATS for layer in LAYERS}

    def ratio(form, layers):
        return sum(found[form, layer][0] for layer in layers) / sum(found[form, layer][1] for layer in layers)

    unit = f"convert {size}, CPU of GDAL 3.12 by ours:"
    # What is asked is asked of L: on S, start-up is most of it.
    judged = times if size == "L" else lambda table, what, found, least, aim: table.row(what, found, "x")
    judged(table, f"{unit} GeoJSON, polygons and lines", ratio("geojson", ["batiments", "voies"]), 8, 15)
    judged(table, f"{unit} GeoJSON, points", ratio("geojson", ["adresses"]), 6, 12)
    judged(table, f"{unit} FlatGeobuf", ratio("fgb", LAYERS), 3, 6)
    judged(table, f"{unit} GeoPackage", ratio("gpkg", LAYERS), 2, 3)
    for (form, layer), (theirs, ours, _, _) in found.items():
        table.row(f"  {form} of {layer}: {theirs:.2f} s by {ours:.2f} s", theirs / ours, "x")
    both = sum(figures[2] for figures in found.values()) / sum(figures[3] for figures in found.values())
    judged(table, f"convert {size}: cores at work, CPU by wall", both, 1.6, 1.9)


def downloads(source, bench, folder):
    """CPU seconds of the peer for the downloads of every layer, one by one."""
    sides = Sides(None, bench, folder)
    spent = 0.0
    for layer in LAYERS:
        for suffix, options in DOWNLOADS.items():
            target = str(sides.folder / f"peer-{layer}.{suffix}")
            spent += sides.run(sides.theirs(options, layer, source, target), target)[0]
            os.remove(target)
    return spent
