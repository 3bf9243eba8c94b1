"""Tiles served: CPU and requests a second against the bare axum server that sends as many bytes, and against martin over the same
tiles as MBTiles, its best; unchanged tiles against a bare answer of 500 bytes.

The bare server sends one buffer, which stays in the processor's cache: it is compared with one tile that is asked over and over.
Of tiles that differ a third of the work is fetching them from memory, whoever sends them; that ratio is printed unjudged.

Runs alternate, so that each ratio is of neighbours in time; the best of several runs counts, for a machine is never quite idle.
"""

import json
import subprocess
import sys
from pathlib import Path

from served import Served

# What a town's map asks for in an hour.
PATHS = 2000
ROUNDS = 5
OPTIONS = {"connections": 32, "encoding": "gzip", "runs": 1, "seconds": 4}
UNCHANGED = {"accept": "*/*\r\nIf-None-Match: *"}
PORTS = {"axum": 18091, "small": 18092, "martin": 18093}


class Ceiling(Served):
    def __init__(self, ceiling, port, size):
        super().__init__([ceiling, "axum", str(port), str(size)], f"http://127.0.0.1:{port}")


def paths_of(bench, archive):
    """The requests, and the mean bytes of their answers."""
    file = bench.folder / "tiles.txt"
    told = subprocess.run([sys.executable, f"{bench.scripts}/tilestats.py", archive, "--paths", str(PATHS)], check=True, capture_output=True, text=True)
    file.write_text(told.stdout)
    return file, json.loads(told.stderr.strip().splitlines()[-1])["mean_bytes"]


def martin(program, archive, folder):
    mbtiles = Path(folder) / "bench.mbtiles"
    subprocess.run([str(Path(sys.executable).parent / "pmtiles-convert"), archive, mbtiles], check=True, capture_output=True)
    config = Path(folder) / "martin.yaml"
    config.write_text(f"mbtiles:\n  sources:\n    bench: {mbtiles}\n")
    address = f"127.0.0.1:{PORTS['martin']}"
    return Served([program, "--config", str(config), "--workers", "2", "--listen-addresses", address], f"http://{address}")


def loaded(bench, server, name, paths, prefix, **options):
    command = bench.wrk(server, name, paths, **{**OPTIONS, **options})
    command[command.index("--prefix") + 1] = prefix
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert found["bad_status"] == 0 and found["socket_errors"] == 0, found
    return found["cpu_us"], found["rps"]


def same_size(bench, server, paths, mean):
    """The request of the tile whose size is nearest to the mean, of the first few hundred."""
    file = bench.folder / "tile.txt"
    asked = paths.read_text().split()[:300]
    file.write_text(min(asked, key=lambda path: abs(len(server.read(f"tiles/bench/{path}", "gzip")) - mean)) + "\n")
    return file


def best(runs):
    """Least CPU, most requests a second."""
    return min(cpu for cpu, _ in runs), max(rps for _, rps in runs)


def served(table, bench, archive, folder, ceiling, peer):
    """`archive`: PMTiles of three layers; `peer`: martin."""
    source = Path(folder) / "bench.pmtiles"
    if source != Path(archive):
        source.write_bytes(Path(archive).read_bytes())
    paths, mean = paths_of(bench, archive)
    ours = Served([bench.bocage, "serve", "--listen", "127.0.0.1:0", str(source)])
    with ours, Ceiling(ceiling, PORTS["axum"], mean) as bare, Ceiling(ceiling, PORTS["small"], 500) as small, martin(peer, archive, folder) as other:
        first = paths.read_text().split()[0]
        same = [server.read(f"{prefix}{first}", "gzip") for server, prefix in [(ours, "tiles/bench/"), (other, "bench/")]]
        assert same[0] == same[1], "the peer serves other tiles"
        one = same_size(bench, ours, paths, mean)
        runs = {"one": [], "ours": [], "axum": [], "martin": [], "unchanged": [], "small": []}
        for _ in range(ROUNDS):
            runs["axum"].append(loaded(bench, bare, "axum", paths, "/"))
            runs["one"].append(loaded(bench, ours, "bocage-one", one, "/tiles/bench/"))
            runs["ours"].append(loaded(bench, ours, "bocage", paths, "/tiles/bench/"))
            runs["martin"].append(loaded(bench, other, "martin", paths, "/bench/"))
            runs["small"].append(loaded(bench, small, "axum-500", paths, "/"))
            runs["unchanged"].append(loaded(bench, ours, "bocage-304", paths, "/tiles/bench/", **UNCHANGED))
    found = {name: best(runs) for name, runs in runs.items()}
    table.row(f"tiles of {mean / 1000:.0f} kB served: CPU", found["ours"][0], "us")
    table.row("  times axum's CPU for one buffer of their mean size", found["ours"][0] / found["axum"][0], "x", digits=2)
    at_most(table, "one such tile over and over: times axum's CPU", found["one"][0] / found["axum"][0], 1.15, 1.0)
    at_least(table, "  of axum's requests a second", found["one"][1] / found["axum"][1], 0.9, 1.0)
    at_least(table, "tiles served: CPU of martin's by ours", found["martin"][0] / found["ours"][0], 2.4, 3)
    at_least(table, "  requests a second, times martin's", found["ours"][1] / found["martin"][1], 1.8, 2.2)
    at_most(table, "unchanged tiles (304): CPU, times axum's for 500 bytes", found["unchanged"][0] / found["small"][0], 1.1, 1.0)


def at_most(table, what, found, asked, aim):
    table.row(what, found, "x", f"at most {asked} (aim {aim})", found <= asked, digits=2)


def at_least(table, what, found, asked, aim):
    table.row(what, found, "x", f"at least {asked} (aim {aim})", found >= asked, digits=2)
