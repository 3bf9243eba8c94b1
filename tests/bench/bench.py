"""What is measured, against whom: prints a table of figures asked and figures found.

    bench.py SIZE BOCAGE BENCH FOLDER [CEILING]

SIZE: S (served figures) or L (a publication's memory, a long answer's memory). BENCH and FOLDER are those of served.Bench;
CEILING is the bare axum server of the shared measurements. Ratios are taken in one run. Exits with 1 where a figure that is
asked is not reached.
"""

import sys
import tempfile
import urllib.request

from served import Bench, Served, Table

SIZE = sys.argv[1]
bench, table = Bench(*sys.argv[2:5]), Table()


def small(source, folder, ceiling):
    bench.published(folder)
    ready = []
    for _ in range(5):
        with bench.serve(folder) as server:
            ready.append(server.ready_ms)
            idle = server.memory_mb()
    table.row("serve: ready", min(ready), "ms", "at most 300 ms", min(ready) <= 300)
    table.row("serve: idle", idle, "MB", "under 96 MB", idle < 96)
    one = bench.folder / "one.txt"
    one.write_text("x\n")
    with Served([ceiling, "axum", "18087", "500"], "http://127.0.0.1:18087") as bare:
        bare = bench.cpu_us(bare, "ceiling", one)
    with bench.serve(folder) as server:
        items = f"collections/{server.layer('batiments')}/items"
        boxes = bench.asks("pages", items + "?f=json&limit=1000&bbox={w:.6f},{s:.6f},{e:.6f},{n:.6f}", source)
        page = bench.cpu_us(server, "page", boxes, features=1000)
        item = bench.cpu_us(server, "item", bench.asks("ids", items + "/{id}?f=json", source))
    table.row("a bare axum answer of 500 bytes", bare, "us")
    table.row("a page of 1000 polygons in a box", page, "us")
    table.row("  times the bare answer", page / bare, "x", "at most 205 (aim 80)", page / bare <= 205)
    table.row("one feature by its id", item, "us")
    table.row("  times the bare answer", item / bare, "x", "at most 3 (aim 1.5)", item / bare <= 3)


def large(folder):
    cpu, peak = bench.published(folder)
    table.row("publish, 1.7 M features: CPU", cpu, "s")
    table.row("publish, 1.7 M features: memory, summed", peak, "MB", "under 768 MB", peak < 768)
    with bench.serve(folder) as server:
        layer = server.layer("adresses")
        before, features, peak = server.anonymous_mb(), 0, 0.0
        path = f"collections/{layer}/items?f=json&limit=10000&crs=http://www.opengis.net/def/crs/EPSG/0/2154"
        while path and features < 1_000_000:
            page = server.json(path)
            features += len(page["features"])
            following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
            path = following and following.removeprefix(server.base + "/")
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


def main():
    source = bench.data(SIZE)
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        bench.site(folder, source)
        small(source, folder, sys.argv[5]) if SIZE == "S" else large(folder)
    table.close()


main()
