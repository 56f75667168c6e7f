SUMMARY = "U-Boot script that picks the slot"
DESCRIPTION = "Reads the two copies of the environment, counts the chosen slot's starts down and boots it. \
Script and board settings are those of the Buildroot and Debian images."
SECTION = "bootloaders"
LICENSE = "MIT | Apache-2.0"
LIC_FILES_CHKSUM = "file://${H5EDGE_ROOT}/LICENSE-MIT;md5=be4bd0a68794a62fa65408c1ed665eb3 \
                    file://${H5EDGE_ROOT}/LICENSE-APACHE;md5=12e02e65674943cae0ac0c9ddc70e914"

DEPENDS = "u-boot-mkimage-native"

PROVIDES = "u-boot-default-script"

FILESEXTRAPATHS:prepend := "${H5EDGE_ROOT}/buildroot/ota:${H5EDGE_ROOT}/buildroot/board/${H5EDGE_BOARD}:"

SRC_URI = "\
    file://board.env \
    file://boot.cmd \
"

S = "${UNPACKDIR}"

inherit deploy nopackages

PACKAGE_ARCH = "${MACHINE_ARCH}"

# The Raspberry Pi 5 has no U-Boot.
COMPATIBLE_MACHINE = "^(raspberrypi4-64|rock-5b|imx8mp-lpddr4-evk|qemuarm64)$"

INHIBIT_DEFAULT_DEPS = "1"

do_compile() {
    mkimage -A arm64 -T script -C none -n h5edge -d ${S}/boot.cmd ${B}/boot.scr
}

do_deploy() {
    install -m 0644 ${S}/board.env ${B}/boot.scr ${DEPLOYDIR}/
}
addtask deploy after do_compile before do_build
