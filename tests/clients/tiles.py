"""An archive of tiles as strangers read it: pmtiles finds the tiles, mapbox-vector-tile decodes them.

    tiles.py ARCHIVE FOLDER

Prints, as JSON, the header, the metadata, and for each zoom and layer the ids of its features and how often each has a part
in the tile itself. Tiles are left in FOLDER as z/x/y.pbf with metadata.json, as GDAL's MVT driver reads them.
"""

import gzip
import json
import sys
from pathlib import Path

import mapbox_vector_tile
from pmtiles.reader import MmapSource, Reader, all_tiles

EXTENT = 4096


def positions(coordinates):
    if coordinates and isinstance(coordinates[0], (int, float)):
        yield coordinates
    else:
        for part in coordinates:
            yield from positions(part)


def seen(archive, folder):
    source = MmapSource(archive)
    reader = Reader(source)
    header, metadata = reader.header(), reader.metadata()
    zooms = {}
    for (zoom, col, row), data in all_tiles(source):
        assert reader.get(zoom, col, row) == data, "the directory finds what the walk finds"
        tile = gzip.decompress(data)
        path = folder / str(zoom) / str(col) / f"{row}.pbf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tile)
        for name, layer in mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True}).items():
            assert layer["extent"] == EXTENT and layer["version"] == 2, layer
            found = zooms.setdefault(zoom, {}).setdefault(name, {})
            for feature in layer["features"]:
                entry = found.setdefault(str(feature["id"]), {"inside": 0, "properties": feature["properties"]})
                assert entry["properties"] == feature["properties"], "one feature, one set of properties"
                places = list(positions(feature["geometry"]["coordinates"]))
                entry["inside"] += any(0 <= x <= EXTENT and 0 <= y <= EXTENT for x, y in places)
    (folder / "metadata.json").write_text(json.dumps(written(header, metadata)))
    plain = {key: value for key, value in header.items() if isinstance(value, (int, bool))}
    return {"header": plain, "metadata": metadata, "zooms": zooms}


def written(header, metadata):
    """What a folder of tiles says of itself (MBTiles 1.3), for GDAL."""
    return {
        "name": metadata["name"],
        "format": "pbf",
        "minzoom": header["min_zoom"],
        "maxzoom": header["max_zoom"],
        "json": json.dumps({"vector_layers": metadata["vector_layers"]}),
    }


def main():
    with open(sys.argv[1], "rb") as archive:
        json.dump(seen(archive, Path(sys.argv[2])), sys.stdout)


main()
