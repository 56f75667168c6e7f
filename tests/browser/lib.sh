# What run.sh and pictures.sh share; they source it from the top of the tree. `bin` is the folder of the binaries, TARGET or
# target/debug; `work` a folder that ends with the script, as all that `start` started does.
# shellcheck shell=bash
bin=${TARGET:-target/debug}
work=$(mktemp -d -t h5edge-XXXX)
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
