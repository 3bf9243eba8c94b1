"""What is measured, against whom: prints a table of figures asked and figures found.

    bench.py SIZE BOCAGE BENCH FOLDER CEILING MARTIN

SIZE: S (served figures, MapServer, conversions, LIVE), L (conversions, a publication, a long answer's memory, pages far behind)
LIVE (a page of a PostGIS table alone, from the data of S) or TILES (tiles served, alone). BENCH, which holds peers/ as well, and FOLDER
are those of served.Bench; CEILING is the bare axum server of the shared measurements, MARTIN a tile server (S and TILES). Ratios are taken in one run. Exits with 1
where a figure that is asked is not reached.
"""

import sys
import tempfile
import time
import urllib.request
from urllib.parse import quote

import convert
import live
import pages
import tile
import tile_served
from served import Bench, Served, Table

SIZE = sys.argv[1]
bench, table = Bench(*sys.argv[2:5]), Table()


def bare_us(ceiling):
    """What the cheapest answer costs: hyper, axum and the kernel."""
    one = bench.folder / "one.txt"
    one.write_text("x\n")
    with Served([ceiling, "axum", "18087", "500"], "http://127.0.0.1:18087") as bare:
        found = bench.cpu_us(bare, "ceiling", one)
    table.row("a bare axum answer of 500 bytes", found, "us")
    return found


def times_row(what, found, bare, least, aim):
    table.row(what, found, "us")
    table.row("  times the bare answer", found / bare, "x", f"at most {least} (aim {aim})", found / bare <= least)


def following(page, server):
    """The path of the next page; `None` on the last."""
    found = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    return found and found.removeprefix(server.base + "/")


def small(source, folder, ceiling):
    convert.conversions(table, SIZE, str(source), bench.bocage, bench.scripts, folder)
    tile.tiles(table, SIZE, str(source), bench.bocage, bench.scripts, folder)
    bench.published(folder)
    ready = []
    for _ in range(5):
        with bench.serve(folder) as server:
            ready.append(server.ready_ms)
            idle = server.memory_mb()
    table.row("serve: ready", min(ready), "ms", "at most 300 ms", min(ready) <= 300)
    table.row("serve: idle", idle, "MB", "under 96 MB", idle < 96)
    bare = bare_us(ceiling)
    with bench.serve(folder) as server:
        collection = f"collections/{server.layer('batiments')}"
        boxes = pages.asked(bench, collection, source, "pages")
        page = bench.cpu_us(server, "page", boxes, features=1000)
        item = bench.cpu_us(server, "item", bench.asks("ids", collection + "/items/{id}?f=json", source))
        times_row("a page of 1000 polygons in a box", page, bare, 205, 80)
        times_row("one feature by its id", item, bare, 3, 1.5)
        pages.gzipped(table, bench, server, boxes, page)
        pages.wfs(table, bench, server, boxes, source, page)


def large(source, folder, ceiling):
    convert.conversions(table, SIZE, str(source), bench.bocage, bench.scripts, folder)
    tippecanoes = tile.tiles(table, SIZE, str(source), bench.bocage, bench.scripts, folder)
    began = time.perf_counter()
    cpu, peak = bench.published(folder)
    wall = time.perf_counter() - began
    table.row("publish, 1.7 M features: CPU", cpu, "s")
    peers = convert.downloads(str(source), bench.scripts, folder) + tippecanoes
    convert.times(table, "  CPU of GDAL 3.12 and tippecanoe for the same files by ours", peers / cpu, 2, 4)
    convert.times(table, "  cores at work, CPU by wall", cpu / wall, 1.6, 1.9)
    table.row("publish, 1.7 M features: memory, summed", peak, "MB", "under 768 MB", peak < 768)
    with bench.serve(folder) as server:
        layer = server.layer("adresses")
        items = f"collections/{layer}/items?f=json&limit=1000"
        far = [f"{items}&offset={900_000 + 1000 * page}" for page in range(20)]
        by_offset = bench.cpu_us(server, "offset", written(far), features=1000)
        by_next = [following(server.json(far[0]), server)]
        while len(by_next) < 20:
            by_next.append(following(server.json(by_next[-1]), server))
        by_next = bench.cpu_us(server, "next", written(by_next), features=1000)
        towns = {feature["properties"]["code_insee"] for path in far for feature in server.json(path)["features"]}
        asked = [items + "&filter=" + quote(f"code_insee = '{town}'") for town in sorted(towns)]
        assert all(server.json(path)["numberReturned"] == 1000 for path in asked[:3])
        filtered = bench.cpu_us(server, "filter", written(asked), features=1000)
        before, features, peak = server.anonymous_mb(), 0, 0.0
        path = f"collections/{layer}/items?f=json&limit=10000&crs=http://www.opengis.net/def/crs/EPSG/0/2154"
        while path and features < 1_000_000:
            page = server.json(path)
            features += len(page["features"])
            path = following(page, server)
            peak = max(peak, server.anonymous_mb())
        what = f"{features} features of {layer} in pages of 10 000, reprojected: growth"
        table.row(what, peak - before, "MB", "constant (under 64 MB)", peak - before < 64)
        before, peak, size = server.anonymous_mb(), 0.0, 0
        with urllib.request.urlopen(f"{server.base}/downloads/{layer}/{layer}.geojson") as answer:
            while piece := answer.read(1 << 20):
                size += len(piece)
                peak = max(peak, server.anonymous_mb())
        what = f"{size / 1e6:.0f} MB of GeoJSON downloaded: growth"
        table.row(what, peak - before, "MB", "constant (under 16 MB)", peak - before < 16)


    bare = bare_us(ceiling)
    times_row("1000 points at 90 % of a million, by offset", by_offset, bare, 205, 80)
    times_row("1000 points at 90 % of a million, by next", by_next, bare, 205, 80)
    times_row("1000 points of a town, by an indexed attribute", filtered, bare, 250, 100)


def written(paths):
    file = bench.folder / "paths.txt"
    file.write_text("\n".join(paths) + "\n")
    return file


def tiles_served(source, ceiling, martin):
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        archive = tile.peers_archive(bench.folder / "S-tippecanoe.pmtiles", source, bench.scripts, folder)
        tile_served.served(table, bench, archive, folder, ceiling, martin)


def main():
    source = bench.data("S" if SIZE in ("LIVE", "TILES") else SIZE)
    if SIZE in ("S", "TILES"):
        tiles_served(source, *sys.argv[5:7])
    if SIZE in ("S", "L"):
        with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
            bench.site(folder, source)
            small(source, folder, sys.argv[5]) if SIZE == "S" else large(source, folder, sys.argv[5])
    if SIZE in ("S", "LIVE"):
        with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
            live.page(table, bench, source, folder)
    table.close()


main()
