"""What is measured, against whom: prints a table of figures asked and figures found.

    bench.py SIZE BOCAGE BENCH CEILING FOLDER

SIZE: S (served figures) or L (a publication's memory, a long answer's memory). BENCH holds gen.py, asks.py and load.py of
the shared measurements; CEILING is the bare axum server of theirs; FOLDER keeps the data. CPU is user + system, children
included; ratios are taken in one run. Exits with 1 where a figure that is asked is not reached.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SIZE, BOCAGE, BENCH, CEILING, FOLDER = sys.argv[1:6]
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
rows = []


def row(what, found, asked, unit, reached):
    rows.append((what, f"{found:.1f} {unit}", asked, "yes" if reached else "NO"))


def data():
    path = Path(FOLDER) / f"{SIZE}-2154.gpkg"
    if not path.exists():
        subprocess.run([sys.executable, f"{BENCH}/gen.py", "--size", SIZE, "--out", FOLDER], check=True)
    return path


class Served:
    """A server that says its address on standard output."""

    def __init__(self, command, address=None):
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if address:
            self.base = address
        else:
            self.base = next(found.group(0) for line in self.process.stdout if (found := re.search(r"http://[0-9.:]+", line)))
        while True:
            try:
                urllib.request.urlopen(self.base + "/ready").read()
                break
            except OSError:
                time.sleep(0.002)
        self.ready_ms = (time.perf_counter() - self.began) * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def memory_mb(self, kind="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(kind)) / 1024

    def load(self, name, paths, features):
        command = [sys.executable, f"{BENCH}/load.py", "--base", self.base, "--prefix", "/", "--paths", paths, "--encoding", ""]
        command += ["--seconds", "4", "--runs", "3", "--pid", str(self.process.pid), "--connections", "8", "--features", str(features), name]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        assert found["bad_status"] == 0 and found["socket_errors"] == 0, found
        return found["cpu_us"]


def asks(kind, pattern, source):
    file = Path(FOLDER) / f"{kind}.txt"
    with open(file, "w") as out:
        subprocess.run([sys.executable, f"{BENCH}/asks.py", kind, source, pattern], check=True, stdout=out)
    return str(file)


def site(folder, source):
    """Every layer of the source, ready to be published."""
    subprocess.run([BOCAGE, "init", folder], check=True, capture_output=True)
    depot = Path(folder) / "layers/depot"
    os.link(source, depot / source.name)
    subprocess.run([BOCAGE, "--site", folder, "add", str(depot / source.name)], check=True, capture_output=True)


def family(pid):
    found, parents = [pid], {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                parents[int(entry)] = int(stat.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def anonymous_mb(pids):
    """Resident memory that is not page cache, summed."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as status:
                total += sum(int(line.split()[1]) for line in status if line.startswith(("RssAnon", "RssShmem")))
        except OSError:
            continue
    return total / 1024


def published(folder):
    """Publishes, and gives CPU seconds and the peak of memory summed over the processes."""
    before = os.times()
    process = subprocess.Popen([BOCAGE, "--site", folder, "publish"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, anonymous_mb(family(process.pid)))
        time.sleep(0.02)
    assert process.returncode in (0, 1), process.returncode
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, peak


def small(source, folder):
    published(folder)
    serve = [BOCAGE, "--site", folder, "serve", "--listen", "127.0.0.1:0"]
    ready = []
    for _ in range(5):
        with Served(serve) as server:
            ready.append(server.ready_ms)
            idle = server.memory_mb()
    row("serve: ready", min(ready), "at most 300 ms", "ms", min(ready) <= 300)
    row("serve: idle", idle, "under 96 MB", "MB", idle < 96)
    Path(FOLDER, "one.txt").write_text("x\n")
    with Served([CEILING, "axum", "18087", "500"], "http://127.0.0.1:18087") as bare:
        ceiling = bare.load("ceiling", f"{FOLDER}/one.txt", 1)
    with Served(serve) as server:
        collections = json.load(urllib.request.urlopen(server.base + "/collections"))["collections"]
        items = next(f"collections/{one['id']}/items" for one in collections if one["id"].endswith("batiments"))
        page = server.load("page", asks("pages", items + "?f=json&limit=1000&bbox={w:.6f},{s:.6f},{e:.6f},{n:.6f}", source), 1000)
        item = server.load("item", asks("ids", items + "/{id}?f=json", source), 1)
    row("a bare axum answer of 500 bytes", ceiling, "", "us", True)
    row("a page of 1000 polygons in a box", page, "", "us", True)
    row("  times the bare answer", page / ceiling, "at most 205 (aim 80)", "x", page / ceiling <= 205)
    row("one feature by its id", item, "", "us", True)
    row("  times the bare answer", item / ceiling, "at most 3 (aim 1.5)", "x", item / ceiling <= 3)


def large(folder):
    cpu, peak = published(folder)
    row("publish, 1.7 M features: CPU", cpu, "", "s", True)
    row("publish, 1.7 M features: memory, summed", peak, "under 768 MB", "MB", peak < 768)
    with Served([BOCAGE, "--site", folder, "serve", "--listen", "127.0.0.1:0"]) as server:
        collections = json.load(urllib.request.urlopen(server.base + "/collections"))["collections"]
        layer = next(one["id"] for one in collections if one["id"].endswith("adresses"))
        before, features, peak = anonymous_mb([server.process.pid]), 0, 0.0
        address = f"{server.base}/collections/{layer}/items?f=json&limit=10000&crs=http://www.opengis.net/def/crs/EPSG/0/2154"
        while address and features < 1_000_000:
            page = json.load(urllib.request.urlopen(address))
            features += len(page["features"])
            address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
            peak = max(peak, anonymous_mb([server.process.pid]))
        row(f"{features} features of {layer} in pages of 10 000, reprojected: growth", peak - before, "constant (under 64 MB)", "MB", peak - before < 64)
        before, peak, size = anonymous_mb([server.process.pid]), 0.0, 0
        with urllib.request.urlopen(f"{server.base}/downloads/{layer}/{layer}.geojson") as answer:
            while piece := answer.read(1 << 20):
                size += len(piece)
                peak = max(peak, anonymous_mb([server.process.pid]))
        row(f"{size / 1e6:.0f} MB of GeoJSON downloaded: growth", peak - before, "constant (under 16 MB)", "MB", peak - before < 16)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    source = data()
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        site(folder, source)
        small(str(source), folder) if SIZE == "S" else large(folder)
    width = max(len(what) for what, *_ in rows)
    for what, found, asked, reached in rows:
        print(f"{what:{width}}  {found:>12}  {asked:24} {reached if asked else ''}".rstrip())
    sys.exit(any(reached == "NO" for *_, reached in rows))


main()
