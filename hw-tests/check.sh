#!/usr/bin/env bash
# What can be said of the suite without a box: lints, every environment's file is read and every test is found.
set -euo pipefail
cd "$(dirname "$0")"
shellcheck run.sh check.sh lab/*.sh
venv=$(lab/venv.sh)
"$venv/bin/ruff" check --no-cache -q .
"$venv/bin/ruff" format --no-cache --check -q .
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export LG_RUN=$folder LG_RESULTS=$folder LG_BUNDLES=$folder LG_DISK=$folder/disk LG_PASSWORD=none LG_BOARD=debian
export LG_ADDRESS=192.0.2.1 LG_HOST=192.0.2.2 LG_DECODER=none LG_POWER=192.0.2.3 LG_SERIAL=/dev/null LG_FAKECAM=
for environment in env/*.yaml; do
	if ! "$venv/bin/python" -m pytest -q --lg-env "$environment" -p no:cacheprovider --collect-only >"$folder/told" 2>&1; then
		cat "$folder/told" >&2
		exit 1
	fi
	echo "$environment: $(tail -n 1 "$folder/told")"
done
