#!/usr/bin/env bash
# Takes the handbook's pictures of the admin page (pictures.mjs) into docs/pictures/admin, or `pictures.sh FOLDER NAME…` only
# those: of a daemon of its own with four simulated cameras and one that nobody answers for, users, recordings, snapshots.
# Set-up shows its languages by their own names: without a font for Chinese there are boxes.
# TARGET names the folder of the binaries, target/debug unless given.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/browser/lib.sh
. tests/browser/lib.sh
folder=$(realpath -m "${1:-docs/pictures/admin}")
# settings AUTH: what both daemons have in common, and lines of that section.
settings() { printf '[http]\nbind = "127.0.0.1"\nhttps_port = %s\n[webrtc]\nport = %s\n[auth]\n%s\n' "$(free_port)" "$(free_port)" "$1"; }

start cameras "$bin/examples/fakecam" --port 0 --cams 4 --size 640x360 --bitrate 600
{
	settings 'initial_password = "12345"'
	printf '[recording]\nrollover_seconds = 15\n[cloud.server]\nenabled = true\n'
	n=0
	for name in Gate Yard Hall "Car park"; do
		token=$(tr 'A-Z ' 'a-z-' <<<"$name")
		printf '[[source]]\ntoken = "%s"\nname = "%s"\nurl = "%s"\n' "$token" "$name" "$(field cameras rtsp | sed "s/cam0$/cam$n/")"
		n=$((n + 1))
	done
	printf '[[source]]\ntoken = "roof"\nname = "Roof"\nurl = "rtsp://127.0.0.1:%s/stream1"\n' "$(free_port)"
} >"$work/config.toml"
start daemon "$bin/h5edge" serve --data-dir "$work/data" --config "$work/config.toml" --http-port 0
# A device that nobody has set up yet.
settings '' >"$work/new.toml"
start new "$bin/h5edge" serve --data-dir "$work/new-data" --config "$work/new.toml" --http-port 0

H5EDGE_BIN=$(realpath "$bin/h5edge") H5EDGE_URL="http://127.0.0.1:$(field daemon http)" H5EDGE_NEW="http://127.0.0.1:$(field new http)" \
	node tests/browser/pictures.mjs "$folder" "${@:2}"
