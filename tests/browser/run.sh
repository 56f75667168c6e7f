#!/usr/bin/env bash
# Runs the browser tests against the real daemon and simulated cameras, all on free ports of this machine: all of them,
# or the files of this folder that are named, for example `run.sh fallback.test.mjs`. Beside all of them runs the soak test
# (soak.mjs); `run.sh --soak` runs that alone.
# TARGET names the folder of the binaries, target/debug unless given.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/browser/lib.sh
. tests/browser/lib.sh

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
[auth]
initial_password = "12345"
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

bin=$(realpath "$bin")
export H5EDGE_BIN="$bin/h5edge" FAKECAM_BIN="$bin/examples/fakecam" H5EDGE_URL="http://127.0.0.1:$(field daemon http)" FAKECAM_CTRL="http://127.0.0.1:$(field camera control)"
soak=
if [ $# = 0 ] || [ "$1" = --soak ]; then
	start small "$bin/examples/fakecam" --port 0 --cams 4 --size 320x180 --fps 10 --bitrate 150
	mkdir "$work/soak"
	{
		printf '[http]\nbind = "127.0.0.1"\nhttps_port = 0\n[auth]\ninitial_password = "12345"\n[webrtc]\nport = %s\n' "$(free_port)"
		for n in 0 1 2 3; do
			printf '[[source]]\ntoken = "cam%s"\nname = "Camera %s"\nurl = "%s"\n' "$n" "$n" "$(field small rtsp | sed "s/cam0$/cam$n/")"
		done
	} >"$work/soak.toml"
	start soaked "$bin/h5edge" serve --data-dir "$work/soak" --config "$work/soak.toml" --http-port 0
	H5EDGE_URL="http://127.0.0.1:$(field soaked http)" node tests/browser/soak.mjs >"$work/soak.log" 2>&1 &
	soak=$!
	pids+=("$soak")
fi
files=("${@:-*.test.mjs}")
[ "${1:-}" != --soak ] || files=()
cd tests/browser
# shellcheck disable=SC2206 # the pattern is meant to be one
files=(${files[@]})
case " ${files[*]} " in *" app_playback.test.mjs "*)
	node footage.mjs 2>"$work/footage.log" &
	pids+=($!)
	;;
esac
# A machine that decodes video in software beside all else stands still for seconds now and then: a file that fails gets one
# more try, and both are shown.
failed=
for file in "${files[@]}"; do
	node --test --test-concurrency=1 --test-reporter=spec "$file" && continue
	echo "--- $file failed, the second and last try:" >&2
	node --test --test-concurrency=1 --test-reporter=spec "$file" || failed="$failed $file"
done
if [ -n "$soak" ]; then
	wait "$soak" || failed="$failed soak.mjs"
	cat "$work/soak.log"
fi
if [ -n "$failed" ]; then
	echo "failed:$failed" >&2
	[ ! -s "$work/footage.log" ] || cat "$work/footage.log" >&2
	echo "--- the daemon's log:" >&2
	tail -n 40 "$work/daemon.log" >&2
	exit 1
fi
