"""A workload, the site that publishes it, and the server that is asked: what every measurement here starts from.

SIZE, S or L, is that of gen.py. CPU is user + system, children included.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


class Bench:
    """BENCH holds gen.py, asks.py and load.py of the shared measurements; FOLDER keeps the data."""

    def __init__(self, bocage, bench, folder):
        self.bocage, self.scripts, self.folder = bocage, bench, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def data(self, size):
        path = self.folder / f"{size}-2154.gpkg"
        if not path.exists():
            subprocess.run([sys.executable, f"{self.scripts}/gen.py", "--size", size, "--out", self.folder], check=True)
        return path

    def asks(self, kind, pattern, source, name=None):
        """A file of random but repeatable requests."""
        file = self.folder / f"{name or kind}.txt"
        with open(file, "w") as out:
            subprocess.run([sys.executable, f"{self.scripts}/asks.py", kind, source, pattern], check=True, stdout=out)
        return file

    def site(self, folder, source):
        """Every layer of the source, ready to be published."""
        subprocess.run([self.bocage, "init", folder], check=True, capture_output=True)
        depot = Path(folder) / "layers/depot"
        os.link(source, depot / source.name)
        subprocess.run([self.bocage, "--site", folder, "add", str(depot / source.name)], check=True, capture_output=True)

    def published(self, folder):
        """Publishes, and gives CPU seconds and the peak of memory summed over the processes."""
        before = os.times()
        process = subprocess.Popen([self.bocage, "--site", folder, "publish"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, anonymous_mb(family(process.pid)))
            time.sleep(0.02)
        assert process.returncode in (0, 1), process.returncode
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system, peak

    def serve(self, folder):
        return Served([self.bocage, "--site", folder, "serve", "--listen", "127.0.0.1:0"])

    def wrk(self, served, name, paths, seconds=4, runs=3, connections=8, features=1, encoding="", threads=2, accept="*/*"):
        """The command that loads a server, and prints one line of JSON."""
        command = [sys.executable, f"{self.scripts}/load.py", "--base", served.base, "--prefix", "/", "--paths", paths]
        command += ["--encoding", encoding, "--accept", accept, "--seconds", seconds, "--runs", runs]
        command += [word for pid in served.pids for word in ("--pid", pid)]
        command += ["--connections", connections, "--threads", threads, "--features", features, name]
        return [str(one) for one in command]

    def cpu_us(self, served, name, paths, **options):
        """Server CPU for one request; no answer may be a fault."""
        found = json.loads(subprocess.run(self.wrk(served, name, paths, **options), check=True, capture_output=True, text=True).stdout)
        assert found["bad_status"] == 0 and found["socket_errors"] == 0, found
        return found["cpu_us"]


class Served:
    """A server that says its address on standard output."""

    def __init__(self, command, address=None):
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        # Whose CPU counts, with that of their children.
        self.pids = [self.process.pid]
        if address:
            self.base = address
        else:
            self.base = next(found.group(0) for line in self.process.stdout if (found := re.search(r"http://[0-9.:]+", line)))
        while True:
            try:
                urllib.request.urlopen(self.base + "/ready").read()
                break
            except urllib.error.HTTPError:
                # Somebody answers, who has no such page.
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

    def anonymous_mb(self):
        return anonymous_mb([self.process.pid])

    def read(self, path, encoding="identity"):
        return urllib.request.urlopen(urllib.request.Request(f"{self.base}/{path}", headers={"Accept-Encoding": encoding})).read()

    def json(self, path):
        return json.loads(self.read(path))

    def layer(self, name):
        """The id of the collection whose file is called so."""
        return next(one["id"] for one in self.json("collections")["collections"] if one["id"].endswith(name))


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


class Table:
    """Figures found beside figures asked."""

    def __init__(self):
        self.rows = []

    def row(self, what, found, unit, asked="", reached=True, digits=1):
        self.rows.append((what, f"{found:.{digits}f} {unit}", asked, "yes" if reached else "NO"))

    def close(self):
        """Prints all, and leaves with 1 where a figure that is asked is not reached."""
        width = max(len(what) for what, *_ in self.rows)
        for what, found, asked, reached in self.rows:
            print(f"{what:{width}}  {found:>12}  {asked:24} {reached if asked else ''}".rstrip())
        sys.exit(any(reached == "NO" for *_, reached in self.rows))
