#!/usr/bin/env bash
# post-build.sh TARGET_DIR BOARD: what only this build knows goes into the root file system: os-release, RAUC's
# configuration and keyring. Run by Buildroot after rootfs-overlay/ was copied; takes out what the box must not have.
set -euo pipefail
target=$1 board=$2
tree=$(cd "$(dirname "$0")/.." && pwd)
cd "$tree/.."
# shellcheck source=/dev/null
. "$tree/board/$board/meta"
# shellcheck source=/dev/null
. "$tree/ota/keys.sh"
h5edge_keys

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
cat >"$target/usr/lib/os-release" <<EOF
NAME=h5edge
ID=h5edge
PRETTY_NAME="h5edge $version"
VERSION_ID=$version
BUILD_ID=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
VARIANT_ID=$VARIANT
H5EDGE_BOARD=$board
EOF

mkdir -p "$target/etc/rauc"
install -m 644 "$RAUC_KEYRING" "$target/etc/rauc/keyring.pem"
sed -e "s/@BOARD@/$board/" -e "s/@BOOTLOADER@/$BOOTLOADER/" "$tree/ota/system.conf.in" >"$target/etc/rauc/system.conf"
if [ "$BOOTLOADER" = custom ]; then
	# RAUC takes the numbers of attempts for U-Boot only.
	sed -i '/^boot-attempts/d' "$target/etc/rauc/system.conf"
	printf '\n[handlers]\nbootloader-custom-backend=/usr/libexec/h5edge/tryboot\n' >>"$target/etc/rauc/system.conf"
fi

# SSH is h5edge-ssh.service; Wi-Fi is configured in /run.
rm -f "$target/usr/lib/systemd/system/dropbear.service" "$target/etc/dropbear" "$target/etc/wpa_supplicant.conf"
# No log-in on screens and serial lines: nobody has a password.
for unit in getty@ serial-getty@ console-getty container-getty@; do
	ln -sfn /dev/null "$target/etc/systemd/system/$unit.service"
done
