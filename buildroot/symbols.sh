#!/usr/bin/env bash
# Writes symbols.txt: the names of all options of the Buildroot tree in BUILDROOT_DIR, for check-offline.sh.
set -euo pipefail
: "${BUILDROOT_DIR:?the folder of a Buildroot tree}"
out=$(cd "$(dirname "$0")" && pwd)/symbols.txt
release=$(sed -n 's/^export BR2_VERSION := //p' "$BUILDROOT_DIR/Makefile")
{
	echo "# Buildroot $release"
	find "$BUILDROOT_DIR" -name 'Config.*' -type f -exec grep -hoE '^[[:space:]]*(menu)?config[[:space:]]+BR2_[A-Za-z0-9_]+' {} + |
		awk '{ print $2 }' | LC_ALL=C sort -u
} >"$out"
echo "$out: $(($(wc -l <"$out") - 1)) names of Buildroot $release"
