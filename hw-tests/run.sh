#!/usr/bin/env bash
# Runs the suite against a box:  hw-tests/run.sh [qemu|board-ssh|lab-board] [pytest arguments]
#
#   qemu       (default) boots target/appliance/<board>/disk.img in a network of its own; needs root
#   board-ssh  a board on your LAN;   H5_ADDRESS=… H5_HOST=<an address of this machine that the board reaches>
#   lab-board  the same with a switched socket and a console: H5_POWER=… H5_SERIAL=…
#
#   H5_BOARD     which image it is: debian (default), qemu, rpi4, …
#   H5_DISK      another disk image;  H5_BUNDLES another folder of test bundles
#   H5_PASSWORD  the administrator's, for a board that is set up; otherwise one is made up, in hw-run/password
#   H5_DECODER   the element that has to decode H.264 on a board
#   H5_CUTS      how often the power is cut (20);  H5_CUT_SEED repeats the moments of a run
#   H5_FAKECAM   the camera simulator, where it is built already
#
# Results: target/appliance/hw-results (junit.xml, results.json, logs). README.md says more.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
out=$root/target/appliance
environment=qemu
case ${1:-} in
qemu | board-ssh | lab-board)
	environment=$1
	shift
	;;
esac

fail() {
	echo "hw-tests: $*" >&2
	exit 2
}

need() {
	command -v "$1" >/dev/null || fail "$1 is missing: install the package $2"
}

need python3 python3-venv
need ssh openssh-client
need openssl openssl
need chromium chromium
need ffprobe ffmpeg
if [ "$environment" = qemu ]; then
	[ "$(id -u)" = 0 ] || fail "the network of the test is made by root"
	need ip iproute2
	need flock util-linux
	need dnsmasq dnsmasq-base
	need qemu-system-aarch64 qemu-system-arm
	[ -e /usr/lib/u-boot/qemu_arm64/u-boot.bin ] || fail "U-Boot is missing: install the package u-boot-qemu"
fi

venv=$("$here/lab/venv.sh")
if [ -z "${H5_FAKECAM:-}" ]; then
	(cd "$root" && cargo build --locked --quiet --example fakecam)
	H5_FAKECAM=$root/target/debug/examples/fakecam
fi

# One run at a time: the network's names are the machine's.
if [ "$environment" = qemu ]; then
	exec 9>/run/h5edge-hw-tests.lock
	flock -n 9 || fail "another run is under way"
fi

run=$out/hw-run
results=$out/hw-results
rm -rf "$run" "$results"
mkdir -p "$run" "$results"
chmod 700 "$run"
(umask 077 && printf '%s' "${H5_PASSWORD:-$(openssl rand -hex 10)}" >"$run/password")

export LG_BOARD=${H5_BOARD:-debian} LG_RUN=$run LG_RESULTS=$results LG_FAKECAM=$H5_FAKECAM
export LG_DISK=${H5_DISK:-$out/$LG_BOARD/disk.img} LG_BUNDLES=${H5_BUNDLES:-$out/$LG_BOARD/test}
export LG_ADDRESS=${H5_ADDRESS:-} LG_HOST=${H5_HOST:-} LG_DECODER=${H5_DECODER:-} LG_POWER=${H5_POWER:-} LG_SERIAL=${H5_SERIAL:-}
LG_PASSWORD=$(cat "$run/password")
export LG_PASSWORD

export PYTHONDONTWRITEBYTECODE=1
inside=()
if [ "$environment" = qemu ]; then
	[ -e "$LG_DISK" ] || fail "no image $LG_DISK: make it first"
	trap '"$here/lab/net.sh" down' EXIT
	"$here/lab/net.sh" up
	inside=(ip netns exec h5hw)
else
	if [ -z "$LG_ADDRESS" ] || [ -z "$LG_HOST" ]; then fail "set H5_ADDRESS and H5_HOST"; fi
fi

status=0
# Descriptor 9 is the lock: what outlives this script must not hold it.
(cd "$here" && exec "${inside[@]}" "$venv/bin/python" -m pytest --lg-env "env/$environment.yaml" \
	--junitxml "$results/junit.xml" -p no:cacheprovider "$@" 9>&-) || status=$?
for log in console.log qemu.log dnsmasq.log camera.log; do
	[ ! -e "$run/$log" ] || cp "$run/$log" "$results/"
done
rm -f "$run/disk.img"
exit $status
