#!/usr/bin/env bash
# What MapLibre's own validator says of the styles that tests/it/styles.rs wrote. `styles.sh VENV NODE_MODULES FOLDER`
set -euo pipefail
node="$1/bin/node" validate="$2/@maplibre/maplibre-gl-style-spec/dist/gl-style-validate.mjs"
shopt -s nullglob
passed=0 failed=0
for style in "$3"/*.json; do
  if "$node" "$validate" "$style"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$style" >&2; fi
done
echo "gl-style-validate: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
