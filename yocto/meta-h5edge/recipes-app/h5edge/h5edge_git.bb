SUMMARY = "Live video gateway between IP cameras and browsers"
DESCRIPTION = "The h5edge daemon: pulls each camera once, serves live pictures, recordings, snapshots \
and the h5stream HTTP API. Built from the checkout this layer lives in, with the system's SQLite."
SECTION = "multimedia"
LICENSE = "MIT | Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE-MIT;md5=be4bd0a68794a62fa65408c1ed665eb3 \
                    file://LICENSE-APACHE;md5=12e02e65674943cae0ac0c9ddc70e914"

DEPENDS = " \
    cmake-native \
    glib-2.0 \
    gstreamer1.0 \
    gstreamer1.0-plugins-base \
    gstreamer1.0-rtsp-server \
    sqlite3 \
"

PV = "${@h5edge_version(d)}"

# Written by crates.py out of Cargo.lock, and not kept in git.
require h5edge-crates.inc

inherit cargo cargo-update-recipe-crates externalsrc pkgconfig useradd

EXTERNALSRC = "${H5EDGE_ROOT}"
# No links into the build directory in a checkout that others build, too.
EXTERNALSRC_SYMLINKS = ""

export H5EDGE_BUILD = "${@h5edge_commit(d)}"

# The project's release profile strips; here the package step does, into a package of its own.
CARGO_BUILD_FLAGS += "--bin h5edge --no-default-features --config profile.release.strip=false"

USERADD_PACKAGES = "${PN}"
# The number is fixed, as in sysusers.d: both slots must mean the same user by the owner of /data/h5edge.
GROUPADD_PARAM:${PN} = "--system --gid 871 h5edge; --system render"
USERADD_PARAM:${PN} = "--system --uid 871 --gid h5edge --groups video,render --no-create-home \
    --home-dir /data/h5edge --shell ${sbindir}/nologin h5edge"

do_configure:prepend() {
    if [ ! -f ${S}/web/dist/index.html ]; then
        bbfatal "the web page is not built: run 'make web' in ${S}"
    fi
    if [ "$(sha256sum < ${S}/Cargo.lock | cut -d' ' -f1)" != "${H5EDGE_LOCK_SHA256}" ]; then
        bbfatal "Cargo.lock is newer than h5edge-crates.inc: run yocto/crates.py"
    fi
}

# git does not know the built page, so the class would not see it change.
do_compile[file-checksums] += "${H5EDGE_ROOT}/web/dist:True"

do_install:append() {
    install -D -m 0644 ${S}/config/h5edge.sample.toml ${D}${docdir}/${BPN}/h5edge.sample.toml
}

FILES:${PN}-doc += "${docdir}/${BPN}"
