# shellcheck shell=bash
# Sourced by the check scripts: one line a check, and what went wrong below it. `finish` ends with 1 after any failure.
failed=0

check() {
	local what=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok    $what"
	else
		echo "FAIL  $what"
		tail -n 20 <<<"$output" | sed 's/^/      /'
		failed=1
	fi
}

finish() { exit "$failed"; }
