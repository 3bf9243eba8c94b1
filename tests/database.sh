#!/bin/bash
# A PostgreSQL with PostGIS of one's own, for as long as somebody holds standard input open:
#
#   tests/database.sh [FOLDER]
#
# makes a cluster in a temporary folder (below FOLDER, else /tmp), on a socket and a free port of loopback, with the database
# `sig`, the roles `maitre` (owns it) and `lecture` (reads), and prints the path of a service file that knows both, `maitre` and
# `sig`. Then each line on standard input is done and answered `ok`: `stop`, `start`, `freeze`, `thaw`. At its end everything is
# stopped and deleted. The order of texts is French by default, so that nothing leans on the one of the machine.
set -euo pipefail
umask 022

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "PostgreSQL is missing: apt-get install postgresql postgresql-postgis" >&2; exit 1; }

folder=$(mktemp -d "${1:-/tmp}/bocage-pg-XXXXXX")
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to be root.
    chown postgres "$folder"
    as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
fi
cd "$folder"
server() { as "$bin/pg_ctl" -D "$folder/data" -w -s -o "-k $folder -p $port" "$@" >>"$folder/log" 2>&1; }
finish() {
    trap - EXIT
    [ -f "$folder/data/postmaster.pid" ] && { as kill -CONT $(cat "$folder"/pids 2>/dev/null) 2>/dev/null || true; server -m immediate stop || true; }
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as "$bin/initdb" -D data -U postgres --auth-local=trust --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8 \
    --locale-provider=icu --icu-locale=fr -N >log 2>&1 || { cat log >&2; exit 1; }
cat >>data/postgresql.conf <<CONF
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
max_connections = 60
CONF
server start || { cat log >&2; exit 1; }
secret() { head -c 18 /dev/urandom | base64 | tr '+/' 'ab'; }
maitre=$(secret) lecture=$(secret)
as psql -q -X -v ON_ERROR_STOP=1 -h "$folder" -p "$port" -U postgres postgres >>log 2>&1 <<SQL || { cat log >&2; exit 1; }
CREATE ROLE maitre LOGIN PASSWORD '$maitre';
CREATE ROLE lecture LOGIN PASSWORD '$lecture';
CREATE DATABASE sig OWNER maitre;
\c sig
CREATE EXTENSION postgis;
GRANT pg_read_all_data TO lecture;
SQL
service() { printf '[%s]\nhost=127.0.0.1\nport=%s\ndbname=sig\nuser=%s\npassword=%s\n' "$1" "$port" "$2" "$3"; }
{ service sig lecture "$lecture"; service maitre maitre "$maitre"; } >pg_service.conf
echo "$folder/pg_service.conf"

pids() { for pid in $(head -1 data/postmaster.pid) $(pgrep -P "$(head -1 data/postmaster.pid)"); do echo "$pid"; done; }
while read -r order; do
    case $order in
    stop) server -m fast stop ;;
    start) server start ;;
    freeze) pids >"$folder/pids"; kill -STOP $(cat "$folder/pids") ;;
    thaw) kill -CONT $(cat "$folder/pids"); rm "$folder/pids" ;;
    *) echo "unknown: $order"; continue ;;
    esac
    echo ok
done
