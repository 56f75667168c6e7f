SUMMARY = "Signed update bundle of the h5edge appliance"
DESCRIPTION = "A RAUC bundle of the verity format with one image, the root file system with its kernel."
LICENSE = "MIT"

COMPATIBLE_MACHINE = "^(raspberrypi4-64|rock-5b|imx8mp-lpddr4-evk|qemuarm64)$"

# Made of the image alone.
SRC_URI = ""

inherit bundle

RAUC_BUNDLE_FORMAT = "verity"
RAUC_BUNDLE_COMPATIBLE = "h5edge-${H5EDGE_BOARD}"
RAUC_BUNDLE_VERSION = "${DISTRO_VERSION}"
RAUC_BUNDLE_BUILD = "${@h5edge_commit(d)}"
RAUC_BUNDLE_SLOTS = "rootfs"
RAUC_SLOT_rootfs = "h5edge-image"
RAUC_SLOT_rootfs[fstype] = "squashfs-zst"
RAUC_SLOT_rootfs[imagetype] = "raw"
RAUC_SLOT_rootfs[adaptive] = "block-hash-index"
RAUC_SLOT_rootfs[rename] = "rootfs.img"

RAUC_KEY_FILE = "${RAUC_KEY}"
RAUC_CERT_FILE = "${RAUC_CERT}"

BUNDLE_BASENAME = "h5edge"
BUNDLE_LINK_NAME = "h5edge-${H5EDGE_BOARD}"
