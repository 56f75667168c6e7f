#!/usr/bin/env bash
# Starts the camera simulator and h5edge with two demo sources; ends both on Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=target/release
data=data

mkdir -p "$data/files"
[ -f "$data/files/demo.mp4" ] || "$bin/examples/makeclip" --out "$data/files/demo.mp4"

"$bin/examples/fakecam" --port 18554 >/dev/null &
camera=$!
trap 'kill "$camera" 2>/dev/null; wait' EXIT
sed "s|@DATA@|$(realpath "$data")|" examples/demo/demo.toml > "$data/demo.toml"

cat <<TEXT

  h5edge:  http://127.0.0.1:8080/   (or this machine's address on the LAN; https on 8443)
  log-in:  admin / 12345

TEXT
"$bin/h5edge" serve --data-dir "$data" --config "$data/demo.toml"
