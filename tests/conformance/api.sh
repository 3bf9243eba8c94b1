#!/usr/bin/env bash
# What strangers say of /api: redocly of the document, schemathesis of the answers. `api.sh BOCAGE VENV NODE_MODULES`
set -euo pipefail
bocage=$(realpath "$1") venv=$(realpath "$2") modules=$(realpath "$3") here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
# What schemathesis remembers of a run stays in no checkout.
cd "$folder"
"$bocage" demo --listen 127.0.0.1:0 > said 2> log &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  base=$(grep -oE 'http://[0-9.:]+' "$folder/said" | tail -1) && break
  sleep 0.1
done
"$venv/bin/python" - "$base" "$folder/api.json" <<'PYTHON'
import sys, urllib.request
urllib.request.urlretrieve(sys.argv[1] + "/api", sys.argv[2])
PYTHON

# Our address is http on loopback: the one rule that speaks of an address is none of the document's.
echo "redocly:"
REDOCLY_TELEMETRY=off "$venv/bin/node" "$modules/.bin/redocly" lint --extends=recommended --skip-rule=no-server-example.com \
  --skip-rule=operation-4xx-response --skip-rule=info-license "$folder/api.json"

echo "schemathesis:"
"$venv/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$folder/api.json" --url "$base" --max-examples 50 \
  --phases examples,coverage,fuzzing --seed 35 --checks all
