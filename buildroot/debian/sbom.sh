#!/usr/bin/env bash
# sbom.sh DIR: what the image in DIR is made of: sbom.cdx.json (Debian's packages), sbom-crates.cdx.json (the program), both
# CycloneDX, and licences.txt, the copyright files of the packages and the licences of the crates.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
tools=$dir/../tools/sbom
if [ "$(cat "$tools/stamp" 2>/dev/null)" != "$(sha256sum "$here/sbom-tools.txt")" ]; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" --disable-pip-version-check --quiet install --no-deps --requirement "$here/sbom-tools.txt"
    sha256sum "$here/sbom-tools.txt" >"$tools/stamp"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/var/lib/dpkg"
cat "$dir"/{base,kernel}/status >"$work/var/lib/dpkg/status"
for file in "$dir"/{base,kernel}/copyright/*; do
    install -D -m 644 "$file" "$work/usr/share/doc/$(basename "$file")/copyright"
done
# The serial number derives from the build.
serial=$(printf 'h5edge-debian %s' "$RELEASE_NAME" | sha256sum |
    sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-5\3-8\4-\5/')
"$tools/bin/debsbom" generate --sbom-type cdx --root "$work" --distro-arch arm64 --with-licenses \
    --distro-name h5edge-debian --distro-version "$RELEASE_NAME" --distro-supplier h5edge \
    --cdx-serialnumber "$serial" --timestamp "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" \
    --out "$dir/sbom"
RUSTC=/usr/bin/rustc "$here/crates.py" "$RELEASE_NAME" >"$dir/sbom-crates.cdx.json"

{
    echo "h5edge $RELEASE_NAME: MIT OR Apache-2.0. It contains these crates:"
    echo
    python3 -c '
import json, sys
for crate in json.load(sys.stdin)["components"]:
    print(crate["name"], crate["version"], *(l["expression"] for l in crate.get("licenses", [])))
' <"$dir/sbom-crates.cdx.json"
    for file in "$dir"/{base,kernel}/copyright/*; do
        printf '\n==== Debian package %s ====\n\n' "$(basename "$file")"
        cat "$file"
    done
} >"$dir/licences.txt"
