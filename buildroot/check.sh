#!/usr/bin/env bash
# Checks this tree against Buildroot itself, in the folder BUILDROOT_DIR, of the release that symbols.txt names: every board's
# configuration is loaded, nothing is dropped from it, packages and their origin are listed (SBOM). Nothing is built, and only
# Python's linters are downloaded. About a minute a board; `check.sh rpi4 qemu` takes these boards only.
# shellcheck disable=SC2317 # the functions are called by check
set -uo pipefail
: "${BUILDROOT_DIR:?the folder of a Buildroot tree}"
tree=$(cd "$(dirname "$0")" && pwd)
cd "$tree" || exit 1
# shellcheck source=/dev/null
. scripts/check-lib.sh
work=$tree/../target/buildroot-check
venv=$work/venv
mkdir -p "$work/dl/cyclonedx" "$work/hash"

release() {
	local have want
	have="# Buildroot $(sed -n 's/^export BR2_VERSION := //p' "$BUILDROOT_DIR/Makefile")"
	want=$(head -n 1 symbols.txt)
	[ "$have" = "$want" ] || { echo "BUILDROOT_DIR holds '$have', symbols.txt is of '$want'" && return 1; }
}

linters() {
	[ -x "$venv/bin/flake8" ] || {
		python3 -m venv "$venv" &&
			"$venv/bin/pip" install -q python-magic flake8 'cyclonedx-python-lib[json-validation]'
	} || return 1
	# generate-cyclonedx would fetch this list of licence names.
	cp "$("$venv/bin/python" -c 'import cyclonedx.schema as s; print(s.__path__[0])')/_res/spdx.SNAPSHOT.schema.json" \
		"$work/dl/cyclonedx/spdx-1.6.schema.json"
}

# appliance.mk belongs to the Makefile of the project, debian/ to another image.
check_package() {
	local file files=()
	while read -r file; do files+=("$file"); done < <(find . -type f ! -name symbols.txt ! -path './debian/*' ! -name appliance.mk | sed 's/^..//')
	PATH=$venv/bin:$PATH "$venv/bin/python" "$BUILDROOT_DIR/utils/check-package" -b "${files[@]}"
}

# br BOARD TARGET...: Buildroot's make.
br() {
	local board=$1
	shift
	BR2_DL_DIR=$work/dl make -s -C "$BUILDROOT_DIR" O="$work/$board" BR2_EXTERNAL="$tree" "$@"
}

load() {
	local log
	log=$(br "$1" "h5edge_$1_defconfig" 2>&1) || { echo "$log" && return 1; }
	# A select whose dependencies are not met is only warned of.
	if grep -A3 -iE 'unmet|warning' <<<"$log"; then return 1; fi
}

# kconfig drops, without a word, what it does not know or cannot satisfy.
nothing_dropped() {
	(cd "$BUILDROOT_DIR" && support/scripts/check-dotconfig.py "$work/$1/.config" "$tree/configs/h5edge_$1_defconfig") || return 1
	local symbol missing=0
	# Those of the second line are Buildroot's defaults, which a defconfig in normal form does not name.
	for symbol in $(sed -n 's/^\tselect \([A-Z0-9_a-z]*\).*/\1/p' package/*/Config.in) \
		BR2_TOOLCHAIN_EXTERNAL_BOOTLIN_AARCH64_GLIBC_BLEEDING_EDGE BR2_SSP_STRONG BR2_RELRO_FULL BR2_PIC_PIE; do
		grep -qx "$symbol=y" "$work/$1/.config" || { echo "$symbol is not set" && missing=1; }
	done
	return "$missing"
}

normal_form() {
	br "$1" BR2_DEFCONFIG="$work/$1/normal" savedefconfig >/dev/null && diff -u "configs/h5edge_$1_defconfig" "$work/$1/normal"
}

package_list() {
	br "$1" show-info >"$work/$1/show-info.json" || return 1
	"$venv/bin/python" - "$work/$1/show-info.json" <<'EOF'
import json, sys
packages = json.load(open(sys.argv[1]))
wanted = {"h5edge", "h5edge-appliance", "gst1-plugins-bad", "gst1-libav", "rauc", "host-rauc", "linux", "systemd", "sqlite"}
missing = wanted - packages.keys()
print(len(packages), "packages")
sys.exit(f"missing: {missing}" if missing else 0)
EOF
}

sbom() {
	BR2_DL_DIR=$work/dl "$venv/bin/python" "$BUILDROOT_DIR/utils/generate-cyclonedx" -i "$work/$1/show-info.json" \
		-o "$work/$1/sbom.cdx.json" || return 1
	"$venv/bin/python" - "$work/$1/sbom.cdx.json" <<'EOF'
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
names = {c["name"] for c in json.loads(text)["components"]}
sys.exit(str(error) if error else None if {"h5edge", "sqlite"} <= names else "h5edge or sqlite is missing")
EOF
}

# The program is built after what it links to, with SQLite of the image.
package_recipe() {
	local word depends
	depends=$(br "$1" h5edge-show-recursive-depends) || return 1
	for word in sqlite gstreamer1 gst1-plugins-base gst1-rtsp-server host-pkgconf host-rust-bin; do
		grep -qw -- "$word" <<<"$depends" || { echo "h5edge does not depend on $word" && return 1; }
	done
	br "$1" printvars VARS='H5EDGE_OVERRIDE_SRCDIR H5EDGE_CARGO_% H5EDGE_PRE_CONFIGURE_HOOKS %_SOURCE %_HASH_FILES' QUOTED_VARS=YES \
		>"$work/$1/vars" || return 1
	for word in "H5EDGE_OVERRIDE_SRCDIR='$(realpath ..)'" "H5EDGE_CARGO_BUILD_OPTS='--no-default-features'" \
		"H5EDGE_CARGO_INSTALL_OPTS='--no-default-features'" "H5EDGE_PRE_CONFIGURE_HOOKS='.*H5EDGE_FETCH_CRATES" \
		"H5EDGE_CARGO_ENV='.*PKG_CONFIG_ALLOW_CROSS=1"; do
		grep -q -- "$word" "$work/$1/vars" || { echo "not in the recipe: $word" && return 1; }
	done
}

# Buildroot knows the checksum of kernel, boot loader and firmware that the board's configuration names.
hashes() {
	local package source files
	for package in LINUX UBOOT ARM_TRUSTED_FIRMWARE RPI_FIRMWARE ROCKCHIP_RKBIN FIRMWARE_IMX; do
		grep -qE "^BR2_(PACKAGE|TARGET)_$package=y|^BR2_${package}_KERNEL=y" "$work/$1/.config" || continue
		source=$(sed -n "s/^${package}_SOURCE='\(.*\)'$/\1/p" "$work/$1/vars")
		files=$(sed -n "s/^${package}_HASH_FILES='\(.*\)'$/\1/p" "$work/$1/vars")
		[ -n "$source" ] || { echo "$package has no source" && return 1; }
		# shellcheck disable=SC2086 # several files, of which some may not be there
		(cd "$BUILDROOT_DIR" && grep -qsE "^sha256 .* $source$" $files) ||
			{ echo "no checksum for $source in $files" && return 1; }
	done
}

boards=("$@")
[ $# -gt 0 ] || boards=(rpi4 rpi5 rk3588 imx8mp qemu)
check "Buildroot is the pinned release" release
check "Python linters" linters
check "check-package" check_package
for board in "${boards[@]}"; do
	check "$board: defconfig loads" load "$board"
	check "$board: no symbol dropped" nothing_dropped "$board"
	check "$board: normal form" normal_form "$board"
	check "$board: show-info" package_list "$board"
	check "$board: CycloneDX valid" sbom "$board"
	check "$board: recipe of h5edge" package_recipe "$board"
	check "$board: checksums known" hashes "$board"
done
finish
