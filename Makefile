# The tiers of bocage. Each installs what it lacks and is quick when nothing changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ROOT := $(CURDIR)
export BOCAGE_SHARED ?= $(abspath $(ROOT)/../shared)

PACKAGES := build-essential pkg-config libgdal-dev libproj-dev libpq-dev libsqlite3-dev proj-data proj-bin gdal-bin
TEST_PACKAGES := $(PACKAGES) python3-venv libxml2-utils postgresql postgresql-postgis
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

RELEASE := target/release/bocage
# Tools of the tests live below target/, so that a checkout is all there is to delete.
TOOLS := target/tools
CARGO_DENY := $(TOOLS)/bin/cargo-deny
CARGO_DENY_VERSION := 0.20.2
OWSLIB := target/venv-clients
# The tile server that tiles are measured against, and its version.
MARTIN := $(TOOLS)/bin/martin
MARTIN_VERSION := 1.14.0
SCHEMATHESIS := target/venv-conformance
# What the pages show maps with: MapLibre and the fonts, from npm, embedded by build.rs. Node comes from PyPI: Debian's is too
# old, and its npm has hundreds of packages.
ASSETS := target/npm-assets
NODE := $(ROOT)/target/venv-assets/bin

.PHONY: help setup assets setup-test release demo quick test deny advisories symbols clients conformance bench bench-large load

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

define install
	@missing=(); for p in $(1); do dpkg-query -W -f '$${db:Status-Status}\n' "$$p" 2>/dev/null | grep -qx installed || missing+=("$$p"); done; \
	if [ "$${#missing[@]}" -gt 0 ]; then $(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -q -y --no-install-recommends "$${missing[@]}"; fi
endef

setup: assets
	$(call install,$(PACKAGES))
	@command -v cargo >/dev/null || { echo "a Rust toolchain is needed: https://rustup.rs" >&2; exit 1; }

assets: $(ASSETS)/done ## what the pages show maps with, from npm

setup-test: setup $(CARGO_DENY) $(OWSLIB)/done
	$(call install,$(TEST_PACKAGES))

$(CARGO_DENY): | setup
	cargo install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root $(TOOLS)

# The strangers of the tests: OWSLib, and the file in which tests/database.sh makes its databases known.
STRANGERS := BOCAGE_PYTHON=$(ROOT)/$(OWSLIB)/bin/python PGSERVICEFILE=$(ROOT)/target/bocage-test-services.conf

# A virtual environment from the lock file beside its scripts, made anew when the lock changes.
define venv
	$(call install,python3-venv)
	rm -rf $(@D)
	/usr/bin/python3 -m venv $(@D)
	$(@D)/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	touch $@
endef

# The same for what npm holds. $(1): where `node` and `npm` are.
define npm
	rm -rf $(@D) && mkdir -p $(@D)
	cp $(<D)/package.json $< $(@D)/
	cd $(@D) && PATH="$(1):$$PATH" npm ci --silent --no-fund --no-audit --ignore-scripts
	touch $@
endef

target/venv-%/done: tests/%/requirements.txt
	$(venv)

target/venv-assets/done: src/service/assets/requirements.txt
	$(venv)

$(ASSETS)/done: src/service/assets/package-lock.json target/venv-assets/done
	$(call npm,$(NODE))

release: setup
	cargo build --locked --release

demo: release ## the demonstration town, published and served (UNTIL_READY=1: stop once it answers)
	$(RELEASE) demo $(if $(UNTIL_READY),--until-ready) $(if $(LISTEN),--listen $(LISTEN))

quick: setup ## format, clippy, tidy, unit tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --lib --test tidy

test: quick setup-test deny ## quick, and everything on small data, with GDAL, OWSLib and PostGIS as strangers
	$(STRANGERS) cargo test --locked --test it
	@$(MAKE) --no-print-directory symbols BINARY=target/debug/bocage

deny: $(CARGO_DENY) ## licences, bans and sources of what we depend on
	PATH="$(ROOT)/$(TOOLS)/bin:$$PATH" cargo deny --locked check --hide-inclusion-graph licenses bans sources

advisories: $(CARGO_DENY) ## known vulnerabilities; needs the network beyond the registries
	PATH="$(ROOT)/$(TOOLS)/bin:$$PATH" cargo deny --locked check --hide-inclusion-graph advisories

# An executable that exports SQLite's or PROJ's symbols lends them to libgdal, which crashes on them.
BINARY ?= $(RELEASE)
symbols: ## the executable lends no C symbol to the libraries it loads
	@found=$$(nm -D --defined-only $(BINARY) | grep -E ' (sqlite3_|proj_|ZSTD_|deflate|inflate|libdeflate_)' || true); \
	if [ -n "$$found" ]; then echo "$(BINARY) exports C symbols:" >&2; echo "$$found" >&2; exit 1; fi; \
	echo "symbols: $(BINARY) exports no C symbol"

conformance: setup-test release $(SCHEMATHESIS)/done target/npm-conformance/done ## every requirement we promise: our own tests by its id, schemathesis, redocly, gl-style-validate
	$(STRANGERS) cargo test --locked --test it -- ogcapi_features serving strangers styles tiles_
	tests/conformance/styles.sh $(RELEASE) $(SCHEMATHESIS) target/npm-conformance/node_modules target/tmp/styles
	tests/conformance/api.sh $(RELEASE) $(SCHEMATHESIS) target/npm-conformance/node_modules

# Node comes from the same lock as schemathesis: Debian's is too old for redocly.
target/npm-%/done: tests/%/package-lock.json target/venv-%/done
	$(call npm,$(ROOT)/target/venv-$*/bin)

target/npm-clients/done: tests/clients/package-lock.json target/venv-assets/done
	$(call npm,$(NODE))

clients: release $(OWSLIB)/done target/npm-clients/done ## OWSLib and GDAL over 200 000 features, QGIS and a browser over the town, and over styles that must look the same in both
	$(call install,python3-qgis qgis-providers chromium proj-bin gdal-bin curl postgresql postgresql-postgis)
	PATH="$(NODE):$$PATH" tests/clients/run.sh $(RELEASE) $(OWSLIB) target/npm-clients/node_modules "$(BOCAGE_SHARED)" target/clients

BENCH := target/bench
CEILING := $(BENCH)/ceiling/release/ceiling

$(CEILING):
	@test -d "$(BOCAGE_SHARED)/bench" || { echo "the shared measurements are absent at $(BOCAGE_SHARED)/bench (BOCAGE_SHARED)" >&2; exit 1; }
	cargo build --release --manifest-path "$(BOCAGE_SHARED)/bench/ceiling/Cargo.toml" --target-dir $(BENCH)/ceiling

$(MARTIN): | setup
	cargo install martin --version $(MARTIN_VERSION) --locked --no-default-features --features mbtiles,pmtiles --root $(TOOLS)

# Ratios to a bare server and to MapServer, readiness, memory; and the memory of a large publication.
bench: release target/venv-bench/done $(CEILING) $(MARTIN) ## what the server costs, on the S workload
	$(call install,wrk gdal-bin cgi-mapserver lighttpd postgresql postgresql-postgis)
	target/venv-bench/bin/python tests/bench/bench.py S $(RELEASE) "$(BOCAGE_SHARED)/bench" $(BENCH) $(CEILING) $(MARTIN)

# Five minutes under load: LOAD_SECONDS=20 for a first look.
LOAD_SECONDS ?= 300
load: release target/venv-bench/done ## 32 connections of mixed requests for five minutes, an overload, readers that stall
	$(call install,wrk)
	target/venv-bench/bin/python tests/bench/load.py $(RELEASE) "$(BOCAGE_SHARED)/bench" $(BENCH) $(LOAD_SECONDS)

bench-large: release target/venv-bench/done $(CEILING) ## what a large publication costs, on the L workload
	$(call install,wrk)
	target/venv-bench/bin/python tests/bench/bench.py L $(RELEASE) "$(BOCAGE_SHARED)/bench" $(BENCH) $(CEILING)
