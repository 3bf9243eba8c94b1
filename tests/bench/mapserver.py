"""MapServer as FastCGI, two processes behind lighttpd: WFS below `ows`, OGC API below `map/bench/ogcapi`.

The processes are ours and not lighttpd's, which leaves them behind when it ends. A mapserv forgets its environment with each
request: what it connects to stands in the map.
"""

import socket
import subprocess
import tempfile
from pathlib import Path

from served import Served

PORT = 18088
PROCESSES = 2

# Without one, the OGC API asks PostGIS for the extent of the whole table on every request.
EXTENTS = {2154: "300000 6750000 360000 6820000", 4326: "-2.3 47.9 -1.6 48.4"}

MAP = """MAP
  NAME "bench"
  EXTENT -2.3 47.9 -1.6 48.4
  UNITS DD
  SIZE 256 256
  PROJECTION "epsg:4326" END
  WEB METADATA
    "ows_title" "bench" "ows_enable_request" "*" "oga_enable_request" "*"
    "ows_onlineresource" "{base}/ows?map=bench&" "oga_onlineresource" "{base}/map/bench/ogcapi"
    "ows_srs" "EPSG:4326 EPSG:2154" "oga_max_limit" "10000"
  END END
{layers}
END
"""

LAYER = """
  LAYER
    NAME "{name}" TYPE POLYGON STATUS ON
    {source}
    PROCESSING "CLOSE_CONNECTION=DEFER"
    PROJECTION "epsg:{epsg}" END
    TEMPLATE "void"
    METADATA
      "ows_title" "{name}" "ows_extent" "{extent}"
      "gml_include_items" "all" "gml_featureid" "{id}" "ows_featureid" "{id}"
      "wfs_use_default_extent_for_getfeature" "false"
    END
  END
"""

CONFIG = """CONFIG
  ENV MS_MAP_PATTERN "." END
  MAPS bench "{folder}/bench.map" END
END
"""

FRONT = """server.modules = ("mod_fastcgi")
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{folder}"
server.max-keep-alive-requests = 1000000
fastcgi.server = (
  "/ows" => (( "socket" => "{folder}/socket", "check-local" => "disable" )),
  "/map" => (( "socket" => "{folder}/socket", "check-local" => "disable" ))
)
"""


def layer(name, epsg, source, id):
    return LAYER.format(name=name, epsg=epsg, source=source, extent=EXTENTS[epsg], id=id)


class MapServer(Served):
    def __init__(self, layers):
        # Not below the checkout: the path of a socket has a hundred bytes.
        self.folder = tempfile.TemporaryDirectory()
        folder, base = Path(self.folder.name), f"http://127.0.0.1:{PORT}"
        (folder / "bench.map").write_text(MAP.format(base=base, layers="".join(layers)))
        (folder / "mapserver.conf").write_text(CONFIG.format(folder=folder))
        (folder / "lighttpd.conf").write_text(FRONT.format(folder=folder, port=PORT))
        (folder / "ready").write_text("ready\n")
        self.workers = []
        with socket.socket(socket.AF_UNIX) as asked:
            asked.bind(str(folder / "socket"))
            asked.listen(64)
            super().__init__(["/usr/sbin/lighttpd", "-D", "-f", str(folder / "lighttpd.conf")], base)
            for _ in range(PROCESSES):
                env = {"MAPSERVER_CONFIG_FILE": str(folder / "mapserver.conf")}
                self.workers.append(subprocess.Popen(["/usr/lib/cgi-bin/mapserv"], stdin=asked, env=env))
        self.pids += [worker.pid for worker in self.workers]

    def __exit__(self, *told):
        super().__exit__(*told)
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.folder.cleanup()
