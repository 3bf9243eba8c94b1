"""A page of a live PostGIS table: ours and MapServer's OGC API, each with the CPU of its PostgreSQL."""

import configparser
import os
import subprocess
from pathlib import Path

import convert
import mapserver
import pages

# The columns of the workload's buildings.
LAYER = """source = "PG:service=sig"
table = "public.batiments"
mode = "live"
[fields]
id_parcelle = {}
usage = {}
etat = {}
nb_etages = {}
hauteur_m = {}
surface_m2 = {}
date_creation = {}
remarque = {}
"""
DATA = 'geom from (select * from batiments) as q using unique fid using srid=2154'


class Database:
    """A PostgreSQL for as long as it is needed, that `PGSERVICEFILE` names meanwhile."""

    def __enter__(self):
        script = Path(__file__).parent.parent / "database.sh"
        self.process = subprocess.Popen([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.services = Path(self.process.stdout.readline().strip())
        assert self.services.is_file(), "no database"
        os.environ["PGSERVICEFILE"] = str(self.services)
        self.pid = int((self.services.parent / "data/postmaster.pid").read_text().split()[0])
        return self

    def __exit__(self, *_):
        del os.environ["PGSERVICEFILE"]
        self.process.stdin.close()
        self.process.wait()

    def load(self, source):
        """The buildings of a GeoPackage, with a key and an index, settled."""
        options = ["-nln", "batiments", "-lco", "FID=fid", "-lco", "GEOMETRY_NAME=geom"]
        subprocess.run(["ogr2ogr", "-f", "PostgreSQL", "PG:service=maitre", source, "batiments", *options], check=True)
        settled = ["-c", "VACUUM ANALYZE batiments", "-c", "ALTER DATABASE sig SET jit = off"]
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "service=maitre", *settled], check=True)

    def connection(self):
        """What the service `sig` says, as one text of libpq."""
        services = configparser.ConfigParser(interpolation=None)
        services.read(self.services)
        return " ".join(f"{key}={value}" for key, value in services["sig"].items())


def cost(bench, server, database, name, paths):
    server.pids.append(database.pid)
    return bench.cpu_us(server, name, paths, features=1000)


def their_pages(bench, database, source):
    """CPU of a page, and what each of the first boxes was said to match."""
    where = f'CONNECTIONTYPE POSTGIS CONNECTION "{database.connection()}" DATA "{DATA}"'
    with mapserver.MapServer([mapserver.layer("batiments", 2154, where, "fid")]) as peer:
        paths = pages.asked(bench, "map/bench/ogcapi/collections/batiments", source, "theirs")
        matched = [peer.json(path)["numberMatched"] for path in pages.lines(paths)[: pages.LOOKED_AT]]
        return cost(bench, peer, database, "theirs", paths), matched


def our_pages(bench, database, source, folder):
    subprocess.run([bench.bocage, "init", folder], check=True, capture_output=True)
    (Path(folder) / "layers/batiments.toml").write_text(LAYER)
    bench.published(folder)
    with bench.serve(folder) as server:
        paths = pages.asked(bench, "collections/batiments", source, "ours")
        first = [server.json(path) for path in pages.lines(paths)[: pages.LOOKED_AT]]
        assert all(page["numberReturned"] == len(page["features"]) == 1000 for page in first)
        return cost(bench, server, database, "ours", paths), [page["numberMatched"] for page in first]


def page(table, bench, source, folder):
    """FOLDER is empty."""
    with Database() as database:
        database.load(source)
        theirs, matched_theirs = their_pages(bench, database, source)
        table.row("a page of 1000 polygons of a live table, MapServer's OGC API", theirs, "us")
        ours, matched = our_pages(bench, database, source, folder)
        assert matched == matched_theirs, list(zip(matched, matched_theirs))
    table.row("a page of 1000 polygons of a live table", ours, "us")
    convert.times(table, "  times less than MapServer's OGC API", theirs / ours, 10, 16)
