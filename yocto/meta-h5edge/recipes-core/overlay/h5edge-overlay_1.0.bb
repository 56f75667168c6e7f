SUMMARY = "Units, mounts and settings of the h5edge appliance"
DESCRIPTION = "The project's rootfs-overlay as it is: the same files that the Buildroot and Debian images take."
LICENSE = "MIT | Apache-2.0"
LIC_FILES_CHKSUM = "file://${H5EDGE_ROOT}/LICENSE-MIT;md5=be4bd0a68794a62fa65408c1ed665eb3 \
                    file://${H5EDGE_ROOT}/LICENSE-APACHE;md5=12e02e65674943cae0ac0c9ddc70e914"

FILESEXTRAPATHS:prepend := "${H5EDGE_ROOT}:"

SRC_URI = "file://rootfs-overlay"

S = "${UNPACKDIR}/rootfs-overlay"

inherit allarch

do_configure[noexec] = "1"
do_compile[noexec] = "1"

# Not in place yet: files such as /etc/nsswitch.conf belong to other packages, too. The image lays the
# overlay over all of them at the end, as Buildroot does.
do_install() {
    install -d ${D}${datadir}/h5edge-overlay
    cp -R --no-dereference --preserve=mode,links,timestamps ${S}/. ${D}${datadir}/h5edge-overlay/
}

RDEPENDS:${PN} = "h5edge systemd"
