#!/usr/bin/env bash
# Real clients read what is served: OWSLib and GDAL page through 200 000 features, QGIS opens the town, Chromium its pages and
# its maps; and all but the pages once more where tables of PostGIS answer.
# `run.sh BOCAGE VENV NODE_MODULES SHARED FOLDER`; pictures of the pages are left in FOLDER.
set -euo pipefail
bocage=$1 venv=$2 modules=$3 shared=$4 folder=$5 here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; exec 3>&-' EXIT

serve() { # arguments of bocage -> $base
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  : > "$folder/said"
  "$bocage" "$@" --listen 127.0.0.1:0 > "$folder/said" 2> "$folder/log" &
  server=$!
  for _ in $(seq 600); do
    base=$(grep -oE 'http://[0-9.:]+' "$folder/said" | tail -1) && return
    kill -0 "$server" || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
  done
  echo "no answer from $bocage $*" >&2
  exit 1
}

# A database until descriptor 3 is closed, and its services.
rm -f "$folder/orders" "$folder/services"
mkfifo "$folder/orders"
"$here/../database.sh" < "$folder/orders" > "$folder/services" &
exec 3> "$folder/orders"
until [ -s "$folder/services" ]; do sleep 0.1; done
PGSERVICEFILE=$(cat "$folder/services")
export PGSERVICEFILE

live() { # every collection of $base as a table that answers in a site of its own
  rm -rf "$folder/live"
  "$bocage" init "$folder/live" > /dev/null
  for id in $(curl -s "$base/collections?f=json" | "$venv/bin/python" -c 'import json, sys; [print(one["id"]) for one in json.load(sys.stdin)["collections"]]'); do
    curl -s -o "$folder/$id.gpkg" "$base/downloads/$id/$id.gpkg"
    ogr2ogr -f PostgreSQL PG:service=maitre "$folder/$id.gpkg" -nln "public.$id" -preserve_fid -lco LAUNDER=NO -lco GEOMETRY_NAME=geom -lco FID=gid
    "$bocage" --site "$folder/live" add PG:service=sig --table "public.$id" --live > /dev/null
  done
  "$bocage" --site "$folder/live" publish > /dev/null
}

"$venv/bin/python" - > "$folder/points.csv" <<'PYTHON'
print("numero;nom;lon;lat")
for n in range(200_000):
    print(f"{n + 1};Point n° {n + 1};{-2.1 + n % 500 * 5e-4:.7f};{48.05 + n // 500 * 4e-4:.7f}")
PYTHON
serve serve "$folder/points.csv"
PYTHONPATH=$here "$venv/bin/python" "$here/owslib_features.py" "$base" 10000
PYTHONPATH=$here "$venv/bin/python" "$here/gdal_oapif.py" "$base" points

live
serve --site "$folder/live" serve
PYTHONPATH=$here "$venv/bin/python" "$here/owslib_features.py" "$base" 10000
PYTHONPATH=$here "$venv/bin/python" "$here/gdal_oapif.py" "$base" points

serve demo
live
serve --site "$folder/live" serve
/usr/bin/python3 "$here/qgis_features.py" "$base" 2> "$folder/qgis.log"
mkdir -p "$folder/live-maps"
node "$here/maps.mjs" "$base" "$modules" "$(command -v chromium)" "$folder/live-maps"

serve demo
/usr/bin/python3 "$here/qgis_features.py" "$base" 2> "$folder/qgis.log"
number=0
for page in / /collections /collections/zones /collections/zones/items /collections/zones/items/Z00 /downloads/zones/ /checks/personal-data /nulle-part; do
  number=$((number + 1))
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1000,1400 \
    --screenshot="$folder/page-$number.png" "$base$page" 2>/dev/null
  text=$(chromium --headless --no-sandbox --disable-gpu --dump-dom "$base$page" 2>/dev/null)
  grep -q '<main' <<< "$text" && grep -q 'lang="fr"' <<< "$text" || { echo "$page is no page for people" >&2; exit 1; }
  echo "Chromium: $page, $folder/page-$number.png"
done
node "$here/maps.mjs" "$base" "$modules" "$(command -v chromium)" "$folder"
"$here/fidelity/run.sh" "$bocage" "$modules" "$shared" "$folder/fidelity"
