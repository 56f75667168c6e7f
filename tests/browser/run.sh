#!/usr/bin/env bash
# Runs the browser tests against the real daemon and simulated cameras, all on free ports of this machine: all of them,
# or the files of this folder that are named, for example `run.sh fallback.test.mjs`.
# TARGET names the folder of the binaries, target/debug unless given.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${TARGET:-target/debug}
work=$(mktemp -d)
pids=()
finish() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait
	rm -rf "$work"
}
trap finish EXIT

# start NAME COMMAND…: runs it in the background and waits for its first line of output, kept in $work/NAME.
start() {
	local name=$1
	shift
	"$@" >"$work/$name" 2>"$work/$name.log" &
	pids+=($!)
	for _ in $(seq 600); do
		[ -s "$work/$name" ] && return
		kill -0 "${pids[-1]}" 2>/dev/null || break
		sleep 0.1
	done
	echo "$name did not start:" >&2
	cat "$work/$name.log" >&2
	exit 1
}
# field NAME KEY: a value of that line, which is JSON.
field() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8").split("\n")[0])[process.argv[2]]' "$work/$1" "$2"; }
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

start camera "$bin/examples/fakecam" --port 0 --size 640x360 --bitrate 1000
start hevc "$bin/examples/fakecam" --port 0 --size 640x360 --bitrate 500 --codec h265
start sound "$bin/examples/fakecam" --port 0 --size 640x360 --bitrate 500 --audio aac
start bframes "$bin/examples/fakecam" --port 0 --size 640x360 --bitrate 500 --bframes 2
mkdir -p "$work/data/files"
"$bin/examples/makeclip" --out "$work/data/files/demo.mp4" >/dev/null

cat >"$work/config.toml" <<TOML
[http]
bind = "127.0.0.1"
https_port = 0
[webrtc]
port = $(free_port)
[recording]
rollover_seconds = 15
[[source]]
token = "token1"
name = "Camera"
url = "$(field camera rtsp)"
[[source]]
token = "token2"
name = "Looped file"
url = "$work/data/files/demo.mp4"
[[source]]
token = "h265"
name = "H.265 camera"
url = "$(field hevc rtsp)"
[[source]]
token = "sound"
name = "Camera with sound"
url = "$(field sound rtsp)"
audio = true
[[source]]
token = "bframes"
name = "Camera with B-frames"
url = "$(field bframes rtsp)"
TOML
start daemon "$bin/h5edge" serve --data-dir "$work/data" --config "$work/config.toml" --http-port 0

export H5EDGE_URL="http://127.0.0.1:$(field daemon http)" FAKECAM_CTRL="http://127.0.0.1:$(field camera control)"
files=("${@:-*.test.mjs}")
cd tests/browser
# shellcheck disable=SC2206 # the pattern is meant to be one
files=(${files[@]})
case " ${files[*]} " in *" playback.test.mjs "*)
	node footage.mjs 2>"$work/footage.log" &
	pids+=($!)
	;;
esac
if ! node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"; then
	[ ! -s "$work/footage.log" ] || cat "$work/footage.log" >&2
	echo "--- the daemon's log:" >&2
	tail -n 40 "$work/daemon.log" >&2
	exit 1
fi
