#!/usr/bin/env bash
# base.sh DIR: the Debian part of the image in DIR/root: unpacked, not configured, and pruned. Beside it DIR/status, what the
# packages that gave something say of themselves, and DIR/copyright. No program of it is run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
dir=$1
rm -rf "$dir"
mkdir -p "$dir"

mapfile -t named < <(sed -e 's/#.*//' -e 's/ //g' -e '/^$/d' "$here/packages.txt")
apt_root "$dir/apt" arm64 trixie trixie-security
apt_fetch "$dir/apt" "${named[@]}"

own=()
mkdir "$dir/pool"
for deb in "$dir"/apt/cache/archives/*.deb; do
    name=${deb##*/}
    name=${name%%_*}
    case " ${named[*]} " in
    *" $name "*) own+=("$deb") ;;
    *) printf '%s\0' "$deb" "$dir/pool/$name" ;;
    esac
done >"$dir/rest"
xargs -0 -n 2 -P 2 dpkg-deb --extract <"$dir/rest"
unpack "$dir/root" "${own[@]}"
cp -a "$dir/root/usr/share/ca-certificates/mozilla" "$dir/certificates"
"$here/prune.py" "$dir/root" "$dir/pool" "$dir/used"

given=()
while read -r name; do
    given+=("$dir/apt/cache/archives/${name}"_*.deb)
done < <(printf '%s\n' "${named[@]}" | sort -u - "$dir/used")
describe "$dir" "${given[@]}"

# What the packages' own scripts would have made.
cat "$dir"/certificates/*.crt >"$dir/root/etc/ssl/certs/ca-certificates.crt"
rm -r "$dir"/{apt,pool,certificates,rest,used}
