"""Tiles of three layers, zooms 0 to 14, against tippecanoe: CPU, what is kept, bytes, memory.

tippecanoe starts from FlatGeobuf in EPSG:4326, whose making is not counted; ours from the GeoPackage as it is. Runs alternate,
A B A B. A figure counts only where ours kept at least as many features of the three layers at every zoom; labels, which
tippecanoe has not, are left out of every count.
"""

import gzip
import statistics
import sys
from pathlib import Path

import convert

LAYERS = convert.LAYERS
ROUNDS = {"S": 3, "L": 1}
THINNED = "--drop-densest-as-needed"
ALL = ["-r1", "--no-feature-limit", "--no-tile-size-limit"]
TILE_BYTES_MAX = 500_000


class Kept:
    """What an archive holds of the three layers, by zoom."""

    def __init__(self, archive, scripts):
        sys.path.insert(0, str(scripts))
        import tilestats

        self.features, self.heaviest, self.bytes, self.all_features = {}, {}, 0, 0
        for (zoom, _, _), data, _ in tilestats.tiles(str(archive)):
            counts = tilestats.features(gzip.decompress(data))
            self.features[zoom] = self.features.get(zoom, 0) + sum(counts.get(layer, 0) for layer in LAYERS)
            self.all_features += sum(counts.values())
            self.heaviest[zoom] = max(self.heaviest.get(zoom, 0), len(data))
            self.bytes += len(data)


def flatgeobufs(source, scripts, folder):
    named = []
    for layer in LAYERS:
        file = Path(folder) / f"{layer}.fgb"
        command = [sys.executable, f"{scripts}/peers/ogr2ogr-wheel.py", "-f", "FlatGeobuf", "-t_srs", "EPSG:4326", file, source, layer]
        convert.measured(command)
        named += ["-L", f"{layer}:{file}"]
    return named


def peers_archive(archive, source, scripts, folder):
    """Tiles as tippecanoe makes them, kept: what servers of tiles are compared over."""
    if not archive.exists():
        peer = str(Path(sys.executable).parent / "tippecanoe")
        made = Path(folder) / "made.pmtiles"
        convert.measured([peer, "-q", "-f", "-Z0", "-z14", THINNED, "-t", folder, "-o", str(made), *flatgeobufs(source, scripts, folder)])
        made.rename(archive)
    return archive


def compared(table, size, bocage, scripts, source, folder, what, theirs, ours):
    """Rows of one way to tile; asked figures are those of S but for memory, which is asked of L."""
    peer = str(Path(sys.executable).parent / "tippecanoe")
    out = [str(Path(folder) / name) for name in ("peer.pmtiles", "ours.pmtiles")]
    named = flatgeobufs(source, scripts, folder)
    commands = [
        [peer, "-q", "-f", "-Z0", "-z14", *theirs, "-t", folder, "-o", out[0], *named],
        [bocage, "tile", "-Z", "0", "-z", "14", *ours, source, out[1]],
    ]
    runs = [[convert.measured(command) for command in commands] for _ in range(ROUNDS[size])]
    kept = [Kept(archive, scripts) for archive in out]
    for zoom, count in kept[0].features.items():
        assert kept[1].features[zoom] >= count, f"{what}, zoom {zoom}: {kept[1].features[zoom]} features, {count} in the peer's"
    middle = lambda side, at: statistics.median(run[side][at] for run in runs)
    asked = size == "S"
    judged = convert.times if asked else lambda table, what, found, *_: table.row(what, found, "x")
    judged(table, f"tile {size}, {what}: CPU of tippecanoe by ours", middle(0, 0) / middle(1, 0), 10, 20)
    judged(table, "  cores at work, CPU by wall", middle(1, 0) / middle(1, 1), 1.6, 1.9)
    weight = [archive.bytes / archive.all_features for archive in kept]
    table.row("  bytes of a feature in a tile, by the peer's", weight[1] / weight[0], "x", "at most 1.0", weight[1] <= weight[0])
    below = max(bytes for zoom, bytes in kept[1].heaviest.items() if zoom < 14)
    if not ours:
        table.row("  heaviest tile below zoom 14", below / 1000, "kB", "at most 500 kB", below <= TILE_BYTES_MAX)
    memory = [middle(side, 2) for side in (0, 1)]
    told = "at most 1.0 (aim 0.5)" if size == "L" else ""
    table.row("  peak memory, by the peer's", memory[1] / memory[0], "x", told, size == "S" or memory[1] <= memory[0])
    return middle(0, 0)


def tiles(table, size, source, bocage, scripts, folder):
    """Gives the CPU seconds of the peer's thinned tiles."""
    peers = compared(table, size, bocage, scripts, source, folder, "thinned", [THINNED], [])
    if size == "S":
        compared(table, size, bocage, scripts, source, folder, "all kept", ALL, ["--keep-all"])
    return peers
