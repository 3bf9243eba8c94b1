# The tiers of bocage. Each installs what it lacks and is quick when nothing changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ROOT := $(CURDIR)
export BOCAGE_SHARED ?= $(abspath $(ROOT)/../shared)

PACKAGES := build-essential pkg-config libgdal-dev libproj-dev libsqlite3-dev proj-data proj-bin gdal-bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help setup quick test

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup:
	@missing=(); for p in $(PACKAGES); do dpkg-query -W -f '$${db:Status-Status}\n' "$$p" 2>/dev/null | grep -qx installed || missing+=("$$p"); done; \
	if [ "$${#missing[@]}" -gt 0 ]; then $(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -q -y "$${missing[@]}"; fi
	@command -v cargo >/dev/null || { echo "a Rust toolchain is needed: https://rustup.rs" >&2; exit 1; }

quick: setup ## format, clippy, tidy, unit tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --lib --test tidy

test: quick ## everything on small data
	cargo test --locked --tests
