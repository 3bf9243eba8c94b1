"""How the server holds up: prints p99 of pages and items, and fails where an answer, the memory or a neighbour suffers.

    load.py BOCAGE BENCH FOLDER SECONDS

Three proofs: 32 connections of mixed requests for SECONDS; more questions at once than the server works on; readers that
take nothing of what they asked for. BENCH and FOLDER are those of served.Bench.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

from served import Bench, Table

SECONDS = int(sys.argv[4])
bench, table = Bench(*sys.argv[1:4]), Table()

# The connections of each kind of request, and what one core of the load generator can drive.
SHARE = {"pages": 12, "items": 12, "others": 8}
WARM_SECONDS = 10
GROWTH_MB_MAX = 16
AT_ONCE = 600
STALLED = 40
# A neighbour of those who stall waits for nobody: this is a busy machine's scheduler.
NEIGHBOUR_MS_MAX = 100
STALLED_CPU_MAX = 0.05
# What the server waits for them, and a margin.
TAKEN_BACK_SECONDS_MAX = 75


def others(layer):
    """Questions that are neither a page in a box nor one feature, each with a cost of its own."""
    items = f"collections/{layer}/items"
    filters = [
        "hauteur_m > 10 AND usage = 'Industriel'",
        "accenti(casei(usage)) LIKE accenti(casei('résid%'))",
        "S_INTERSECTS(geometry, BBOX(-2.0, 48.0, -1.9, 48.1))",
    ]
    asked = [f"{items}?f=json&limit=100&filter={quote(one)}" for one in filters]
    asked += [f"{items}?f=json&limit=100&sortby=-surface_m2", f"{items}?f=json&limit=100&offset=5000", f"{items}?f=html&limit=10"]
    asked += [f"collections/{layer}{rest}" for rest in ("", "?f=html", "/schema", "/queryables", "/sortables")]
    return asked + ["?f=json", "?f=html", "conformance", "collections", "api"]


def mixed(server, layer, source):
    """Every kind at once; the memory is looked at all along."""
    items = f"collections/{layer}/items"
    paths = {
        "pages": bench.asks("pages", items + "?f=json&limit=1000&bbox={w:.6f},{s:.6f},{e:.6f},{n:.6f}", source),
        "items": bench.asks("ids", items + "/{id}?f=json", source),
        "others": bench.folder / "others.txt",
    }
    paths["others"].write_text("\n".join(others(layer)) + "\n")

    def run(seconds):
        wrk = [
            subprocess.Popen(
                bench.wrk(server, kind, paths[kind], seconds=seconds, runs=1, connections=count, encoding="gzip", threads=1),
                stdout=subprocess.PIPE,
                text=True,
            )
            for kind, count in SHARE.items()
        ]
        peak = 0.0
        while any(one.poll() is None for one in wrk):
            peak = max(peak, server.anonymous_mb())
            time.sleep(0.1)
        return [json.loads(one.stdout.read()) for one in wrk], peak

    _, warm = run(WARM_SECONDS)
    found, peak = run(SECONDS)
    faults = sum(one["bad_status"] + one["socket_errors"] for one in found)
    for one in found:
        table.row(f"{one['name']}, {SHARE[one['name']]} connections: p99", one["p99_ms"], "ms")
        table.row(f"{one['name']}: answers", one["requests"], "")
    table.row(f"faults among them, in {SECONDS} s", faults, "", "none", faults == 0)
    table.row("memory after the warm-up: growth", peak - warm, "MB", f"flat (under {GROWTH_MB_MAX} MB)", peak - warm < GROWTH_MB_MAX)


def overload(server, layer):
    """All at once, each on its own connection: who is not answered hears so early, and when to come back."""
    address = urlsplit(server.base)
    path = f"/collections/{layer}/items?f=json&limit=1000&sortby=-surface_m2"
    ask = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode()
    askers = [socket.create_connection((address.hostname, address.port)) for _ in range(AT_ONCE)]
    waiting, heads, began = selectors.DefaultSelector(), {}, time.perf_counter()
    for one in askers:
        waiting.register(one, selectors.EVENT_READ)
        one.sendall(ask)
    while waiting.get_map():
        for key, _ in waiting.select(timeout=60):
            one = key.fileobj
            piece = one.recv(1 << 18)
            heads.setdefault(one, (piece.split(b"\r\n\r\n")[0].decode(), time.perf_counter() - began))
            if not piece:
                waiting.unregister(one)
                one.close()
    statuses = Counter(head.split(" ")[1] for head, _ in heads.values())
    refused = sorted(told for head, told in heads.values() if " 503 " in head)
    answered = max(told for head, told in heads.values() if " 200 " in head)
    all_told = set(statuses) == {"200", "503"} and all("Retry-After: " in head for head, _ in heads.values() if " 503 " in head)
    table.row(f"{AT_ONCE} at once: answered", statuses["200"], "")
    table.row("  refused", len(refused), "", "the rest, with Retry-After", all_told and sum(statuses.values()) == AT_ONCE)
    table.row("  the last answer begins after", answered * 1000, "ms")
    middle = refused[len(refused) // 2] if refused else 0
    table.row("  the middle refusal comes after", middle * 1000, "ms", "a quarter of that", middle < answered / 4)


def stalled(server, layer):
    """Readers that take nothing: a neighbour does not notice, and no core works for them."""
    address = urlsplit(server.base)
    ask = f"GET /collections/{layer}/items?f=json&limit=10000 HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
    held, before_them, asked = [], len(sockets(server)), time.perf_counter()
    for _ in range(STALLED):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect((address.hostname, address.port))
        one.sendall(ask)
        held.append(one)
    time.sleep(2)
    before, began = cpu(server), time.perf_counter()
    time.sleep(3)
    busy = (cpu(server) - before) / (time.perf_counter() - began)
    table.row(f"{STALLED} readers that take nothing: cores at work", busy, "", f"none (under {STALLED_CPU_MAX})", busy < STALLED_CPU_MAX)
    times = []
    neighbour = HTTPConnection(address.netloc)
    for path in (f"/collections/{layer}/items/1?f=json", f"/collections/{layer}/items?f=json&limit=100") * 100:
        began = time.perf_counter()
        neighbour.request("GET", path)
        answer = neighbour.getresponse()
        assert answer.status == 200 and answer.read()
        times.append(time.perf_counter() - began)
    neighbour.close()
    worst = sorted(times)[-3] * 1000
    table.row("  p99 of a neighbour", worst, "ms", f"under {NEIGHBOUR_MS_MAX} ms", worst < NEIGHBOUR_MS_MAX)
    while len(sockets(server)) > before_them and time.perf_counter() - asked < TAKEN_BACK_SECONDS_MAX:
        time.sleep(1)
    left = max(0, len(sockets(server)) - before_them)
    table.row("  their connections left after a minute", left, "", "none", left == 0)


def sockets(server):
    folder = f"/proc/{server.process.pid}/fd"
    links = []
    for one in os.listdir(folder):
        try:
            links.append(os.readlink(f"{folder}/{one}"))
        except OSError:
            continue
    return [link for link in links if link.startswith("socket:")]


def cpu(server):
    with open(f"/proc/{server.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    source = bench.data("S")
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        bench.site(folder, source)
        bench.published(folder)
        with bench.serve(folder) as server:
            layer = server.layer("batiments")
            mixed(server, layer, source)
            overload(server, layer)
            stalled(server, layer)
    table.close()


main()
