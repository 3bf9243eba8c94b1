#!/usr/bin/env bash
# What MapLibre's own validator says of the styles that tests/it/styles.rs wrote, and of those that the demonstration town
# serves. `styles.sh BOCAGE VENV NODE_MODULES FOLDER`
set -euo pipefail
bocage=$(realpath "$1") node=$(realpath "$2")/bin/node python=$(realpath "$2")/bin/python
validate=$(realpath "$3")/@maplibre/maplibre-gl-style-spec/dist/gl-style-validate.mjs written=$(realpath "$4")
folder=$(mktemp -d)
"$bocage" demo --listen 127.0.0.1:0 > "$folder/said" 2> "$folder/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  base=$(grep -oE 'http://[0-9.:]+' "$folder/said" | tail -1) && break
  sleep 0.1
done
mkdir "$folder/served"
"$python" - "$base" "$folder/served" <<'PYTHON'
import json, sys, urllib.request
base, folder = sys.argv[1:]
read = lambda address: urllib.request.urlopen(address).read()
for style in json.loads(read(base + "/styles"))["styles"]:
    sheet = next(link for link in style["links"] if link["type"] == "application/vnd.mapbox.style+json")
    open(f"{folder}/{style['id']}.json", "wb").write(read(sheet["href"]))
PYTHON
shopt -s nullglob
passed=0 failed=0
for style in "$written"/*.json "$folder/served"/*.json; do
  if "$node" "$validate" "$style"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$style" >&2; fi
done
served=$(ls "$folder/served" | wc -l)
echo "gl-style-validate: $passed passed ($served of them served), $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt "$served" ] && [ "$served" -gt 0 ]
