SUMMARY = "The h5edge appliance"
DESCRIPTION = "One slot as a read-only squashfs, kernel inside, and the disk that is flashed onto a card."
LICENSE = "MIT"

# The Raspberry Pi 5 has no U-Boot; its way of starting is not in this layer yet (README.md of yocto/).
COMPATIBLE_MACHINE = "^(raspberrypi4-64|rock-5b|imx8mp-lpddr4-evk|qemuarm64)$"

inherit core-image

IMAGE_FEATURES = "read-only-rootfs"

IMAGE_INSTALL = " \
    packagegroup-core-boot \
    packagegroup-machine-base \
    packagegroup-h5edge \
"

# A slot is 384 MiB; the build stops here rather than RAUC on the box.
H5EDGE_SLOT_BYTES = "402653184"

# The disk holds the slot as it is in the bundle, byte for byte.
# nooelint: oelint.vars.specific
IMAGE_TYPEDEP:wic = "squashfs-zst"
WKS_FILE_DEPENDS = "dosfstools-native e2fsprogs-native mtools-native"
do_image_wic[depends] += "h5edge-bootscript:do_deploy"

# Before the class applies the presets, which are the overlay's.
h5edge_lay_overlay() {
    cp -R --no-dereference --preserve=mode,links,timestamps --remove-destination \
        ${IMAGE_ROOTFS}${datadir}/h5edge-overlay/. ${IMAGE_ROOTFS}/
    rm -r ${IMAGE_ROOTFS}${datadir}/h5edge-overlay
}
ROOTFS_POSTPROCESS_COMMAND =+ "h5edge_lay_overlay"

h5edge_name_board() {
    echo 'H5EDGE_BOARD=${H5EDGE_BOARD}' >> ${IMAGE_ROOTFS}${nonarch_libdir}/os-release
}
ROOTFS_POSTPROCESS_COMMAND += "h5edge_name_board"

h5edge_check_size() {
    size=$(stat -L -c %s ${IMGDEPLOYDIR}/${IMAGE_LINK_NAME}.squashfs-zst)
    if [ "$size" -gt ${H5EDGE_SLOT_BYTES} ]; then
        bbfatal "the root file system has $size bytes, a slot holds ${H5EDGE_SLOT_BYTES}"
    fi
}
do_image_complete[prefuncs] += "h5edge_check_size"

python h5edge_check_features() {
    debug = {'allow-empty-password', 'allow-root-login', 'empty-root-password', 'post-install-logging',
             'serial-autologin-root', 'tools-debug'}
    found = debug & set(d.getVar('IMAGE_FEATURES').split())
    if found:
        bb.fatal('not in an appliance: %s' % ' '.join(sorted(found)))
}
do_rootfs[prefuncs] += "h5edge_check_features"
