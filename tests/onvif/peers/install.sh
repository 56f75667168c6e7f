#!/usr/bin/env bash
# Installs the ONVIF cameras and clients that others wrote, at the versions locked here, into
# target/onvif-peers, where the tests look for them:
#   bin/fleet, bin/onvif_server   cameras on crates (cameras/)
#   python/NAME/                  a virtual environment for each file in python/
#   node/node_modules/            clients, and the camera on npm
#   lighttpd/                     the web server, unpacked and not installed, so that no service starts
#   testclip.mp4                  what ipycam shows
# Each part is made again only when what describes it has changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=$root/target/onvif-peers
mkdir -p "$out/stamps" "$out/bin" "$out/python"

# part NAME FILE... : runs make_NAME unless it was made from the same FILEs; its output is shown when it fails.
part() {
    local name=$1 stamp sum
    shift
    stamp=$out/stamps/${name//\//-}
    sum=$(cat "$@" "$here/install.sh" | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then return 0; fi
    if "make_${name%%/*}" "${name#*/}" >"$stamp.log" 2>&1; then
        echo "$sum" >"$stamp"
        rm "$stamp.log"
        echo "onvif-peers: $name after $SECONDS s"
    else
        echo "onvif-peers: $name failed:" >&2
        cat "$stamp.log" >&2
        return 1
    fi
}

make_cameras() {
    local build=$out/build
    cargo build --locked --manifest-path "$here/cameras/Cargo.toml" --target-dir "$build" || return
    install "$build/debug/fleet" "$build/debug/onvif_server" "$out/bin/" && rm -rf "$build"
}

make_python() {
    local venv=$out/python/$1
    rm -rf "$venv"
    python3 -m venv --without-pip "$venv" &&
        "$out/pip/bin/pip" --disable-pip-version-check --quiet --python "$venv/bin/python" \
            install --no-deps --requirement "$here/python/$1.txt"
}

make_pip() { python3 -m venv --clear "$out/pip"; }

make_node() {
    mkdir -p "$out/node" && cp "$here/node/package.json" "$here/node/package-lock.json" "$out/node/" &&
        cd "$out/node" && npm ci --no-audit --no-fund --ignore-scripts
}

make_lighttpd() {
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    rm -rf "$out/lighttpd" && mkdir "$out/lighttpd" && cd "$out/lighttpd" || return
    apt-get download lighttpd || { $sudo apt-get update -q && apt-get download lighttpd; } || return
    dpkg-deb --extract lighttpd_*.deb . && rm lighttpd_*.deb
}

make_testclip() {
    ffmpeg -v error -y -f lavfi -i testsrc2=size=640x360:rate=15 -t 10 \
        -c:v libx264 -preset ultrafast -g 15 -pix_fmt yuv420p "$out/testclip.mp4"
}

# The compiler is the long one; the others are done while it runs.
part cameras "$here"/cameras/Cargo.* "$here"/cameras/src/bin/*.rs &
cameras=$!
part pip /dev/null
for requirements in "$here"/python/*.txt; do
    name=$(basename "$requirements" .txt)
    part "python/$name" "$requirements"
done
part node "$here"/node/package*.json
part lighttpd /dev/null
part testclip /dev/null
wait $cameras
