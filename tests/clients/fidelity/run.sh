#!/usr/bin/env bash
# Styles made with QGIS, drawn by QGIS and by a browser from what bocage serves: they look the same, or the report says why not.
# `run.sh BOCAGE NODE_MODULES SHARED FOLDER`; the pictures are left in FOLDER.
set -euo pipefail
bocage=$1 modules=$2 shared=$3 folder=$4 here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$folder"
mkdir -p "$folder/pictures"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

"$bocage" init "$folder/site" > /dev/null
depot=$folder/site/layers/depot
/usr/bin/python3 "$here/pictures.py" "$depot" "$folder/pictures" "$shared" 2> "$folder/qgis.log" || { cat "$folder/qgis.log" >&2; exit 1; }
"$bocage" --site "$folder/site" add "$depot" > /dev/null
"$bocage" --site "$folder/site" publish --json > "$folder/publication.json"
"$bocage" --site "$folder/site" serve --listen 127.0.0.1:0 > "$folder/said" 2> "$folder/log" &
server=$!
for _ in $(seq 600); do
  base=$(grep -oE 'http://[0-9.:]+' "$folder/said" | tail -1) && break
  kill -0 "$server" || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
node "$here/maps.mjs" "$base" "$modules" "$(command -v chromium)" "$folder/pictures"
/usr/bin/python3 "$here/compare.py" "$folder/pictures" "$folder/publication.json"
node "$here/geostyler.mjs" "$base" "$modules" "$folder/pictures"
