################################################################################
#
# h5edge
#
################################################################################

# The source is this very tree. The version is checked against Cargo.toml by buildroot/check-offline.sh.
H5EDGE_VERSION = 0.1.0
H5EDGE_SITE = $(realpath $(BR2_EXTERNAL_H5EDGE_PATH)/..)
H5EDGE_SITE_METHOD = local
H5EDGE_LICENSE = MIT or Apache-2.0
H5EDGE_LICENSE_FILES = LICENSE-MIT LICENSE-APACHE

# cmake and the C compiler build the crypto library of the crates.
H5EDGE_DEPENDENCIES = \
	$(BR2_CMAKE_HOST_DEPENDENCY) \
	host-pkgconf \
	gst1-plugins-base \
	gst1-rtsp-server \
	gstreamer1 \
	sqlite

# Buildroot's output usually lies in target/: without this it would be copied into itself.
H5EDGE_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--exclude /target \
	--exclude /data \
	--exclude /web/node_modules \
	--exclude /hw-tests \
	--exclude /yocto

# Buildroot sets the profile by environment; these two win over it and restore what Cargo.toml says.
H5EDGE_CARGO_ENV = \
	PKG_CONFIG_ALLOW_CROSS=1 \
	CARGO_PROFILE_RELEASE_LTO="fat" \
	CARGO_PROFILE_RELEASE_CODEGEN_UNITS="1" \
	H5EDGE_BUILD="$(H5EDGE_COMMIT)"

# What `h5edge version` says it was built from: the copied source has no .git.
H5EDGE_COMMIT = $(shell git -C $(H5EDGE_SITE) rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

# SQLite of the image, not one of its own, so that the image's list of known holes covers it.
H5EDGE_CARGO_BUILD_OPTS = --no-default-features
H5EDGE_CARGO_INSTALL_OPTS = --no-default-features

# The page is embedded into the program. Node is no part of an image build: `make web` comes first.
define H5EDGE_CHECK_WEB_PAGE
	test -s $(@D)/web/dist/index.html || { \
		echo "h5edge: web/dist/index.html is missing; run 'make web' in $(H5EDGE_SITE) first" >&2; \
		exit 1; \
	}
endef
H5EDGE_POST_RSYNC_HOOKS += H5EDGE_CHECK_WEB_PAGE

# A local source is not vendored by the download step, and the build runs offline: the crates of
# Cargo.lock (each with its checksum) are fetched here.
define H5EDGE_FETCH_CRATES
	cd $(@D) && \
	$(TARGET_MAKE_ENV) $(PKG_CARGO_ENV) \
		cargo fetch --locked --target $(RUSTC_TARGET_NAME)
endef
H5EDGE_PRE_CONFIGURE_HOOKS += H5EDGE_FETCH_CRATES

# On the box /etc is read-only, so the user is made here and not by systemd-sysusers. The number is that of
# rootfs-overlay/usr/lib/sysusers.d/h5edge.conf: every image must mean the same owner of /data.
define H5EDGE_USERS
	h5edge 871 h5edge 871 * /data/h5edge - video,render h5edge
endef

$(eval $(cargo-package))
