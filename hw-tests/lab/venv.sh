#!/usr/bin/env bash
# The Python that the suite runs with, made anew when requirements.txt has changed; prints its folder.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
venv=$here/../target/appliance/hw-venv
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
	rm -rf "$venv"
	mkdir -p "$(dirname "$venv")"
	python3 -m venv "$venv"
	"$venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt" >&2
	cp "$here/requirements.txt" "$venv/installed.txt"
fi
realpath "$venv"
