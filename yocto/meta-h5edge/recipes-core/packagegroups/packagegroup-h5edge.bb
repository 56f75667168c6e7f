SUMMARY = "What runs on an h5edge box"
DESCRIPTION = "The daemon, exactly the GStreamer plugins it makes elements of, and the system's services."

PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit packagegroup

PACKAGES = "${PN} ${PN}-media ${PN}-system"

RDEPENDS:${PN} = " \
    ${PN}-media \
    ${PN}-system \
    h5edge \
    h5edge-overlay \
"

# Sources (RTSP, RTMP, files), parsers, decoders in hardware and software, JPEG; glib-networking is the
# TLS of RTSPS and RTMPS cameras; videotestsrc is the health check's picture.
RDEPENDS:${PN}-media = " \
    glib-networking \
    gstreamer1.0 \
    gstreamer1.0-plugins-bad-codecalpha \
    gstreamer1.0-plugins-bad-de265 \
    gstreamer1.0-plugins-bad-mpegtsdemux \
    gstreamer1.0-plugins-bad-openh264 \
    gstreamer1.0-plugins-bad-rtmp2 \
    gstreamer1.0-plugins-bad-rtponvif \
    gstreamer1.0-plugins-bad-v4l2codecs \
    gstreamer1.0-plugins-bad-videoparsersbad \
    gstreamer1.0-plugins-base-app \
    gstreamer1.0-plugins-base-playback \
    gstreamer1.0-plugins-base-typefindfunctions \
    gstreamer1.0-plugins-base-videoconvertscale \
    gstreamer1.0-plugins-base-videotestsrc \
    gstreamer1.0-plugins-good-audioparsers \
    gstreamer1.0-plugins-good-flv \
    gstreamer1.0-plugins-good-isomp4 \
    gstreamer1.0-plugins-good-jpeg \
    gstreamer1.0-plugins-good-matroska \
    gstreamer1.0-plugins-good-rtp \
    gstreamer1.0-plugins-good-rtpmanager \
    gstreamer1.0-plugins-good-rtsp \
    gstreamer1.0-plugins-good-udp \
    gstreamer1.0-plugins-good-video4linux2 \
    gstreamer1.0-rtsp-server \
"

RDEPENDS:${PN}-system = " \
    ca-certificates \
    dropbear \
    e2fsprogs-e2fsck \
    e2fsprogs-mke2fs \
    e2fsprogs-resize2fs \
    iw \
    kernel-image \
    libubootenv-bin \
    rauc \
    rauc-conf \
    rauc-service \
    tzdata \
    udev-hwdb \
    util-linux-partx \
    util-linux-sfdisk \
    wpa-supplicant \
"

# A kernel may have all of its drivers built in, and QEMU makes its own device tree.
RRECOMMENDS:${PN}-system = " \
    kernel-devicetree \
    kernel-modules \
"
