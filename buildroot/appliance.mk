# The appliance's targets; included by the Makefile of the project. Everything is made in target/appliance.

APPLIANCE := target/appliance
APPLIANCE_PACKAGES := $(shell sed -e 's/\#.*//' debian-packages-appliance.txt)
BUILDROOT_RELEASE := 2026.05.1
BOARDS := rpi4 rpi5 rk3588 imx8mp qemu
# `cross` looks for Cross.toml unless it is told.
export CROSS_CONFIG := $(CURDIR)/cross.toml

.PHONY: cross image image-debian image-smoke image-test test-bundles appliance-check appliance-packages

appliance-packages:
	@$(MAKE) --no-print-directory packages PACKAGES="$(PACKAGES) $(APPLIANCE_PACKAGES)"

## The program for 64-bit ARM: target/appliance/h5edge.
cross: appliance-packages web $(APPLIANCE)/sysroot.stamp
	buildroot/debian/cross.sh

$(APPLIANCE)/sysroot.stamp: buildroot/debian/sysroot.sh buildroot/debian/apt.sh
	buildroot/debian/sysroot.sh $(CURDIR)/$(APPLIANCE)/sysroot
	touch $@

## The image on a Debian base and its update bundle: target/appliance/debian.
image-debian: cross
	buildroot/debian/image.sh

## Boots that image in QEMU until the daemon answers.
image-smoke:
	buildroot/debian/smoke.py $(APPLIANCE)/debian/disk.img

## Bundles that must be taken or refused, for hw-tests.
test-bundles: image-debian
	buildroot/debian/test-bundles.sh

## The whole of hw-tests in QEMU.
image-test: test-bundles
	hw-tests/run.sh

## The image of a board, with Buildroot: make image BOARD=rpi4 BUILDROOT_DIR=...
image: web
	@case " $(BOARDS) " in *" $(BOARD) "*) ;; *) \
		echo "BOARD=$(BOARD): give one of: $(BOARDS)" >&2; exit 1;; esac
	@if [ ! -e "$(BUILDROOT_DIR)/Makefile" ]; then \
		echo "BUILDROOT_DIR='$(BUILDROOT_DIR)' holds no Buildroot. Fetch the release this was made for, and give its folder:" >&2; \
		echo "  git clone --depth 1 --branch $(BUILDROOT_RELEASE) https://gitlab.com/buildroot.org/buildroot.git ~/buildroot" >&2; \
		echo "  make image BOARD=$(BOARD) BUILDROOT_DIR=~/buildroot" >&2; exit 1; fi
	$(MAKE) -C $(BUILDROOT_DIR) O=$(CURDIR)/$(APPLIANCE)/$(BOARD)/build BR2_EXTERNAL=$(CURDIR)/buildroot \
		h5edge_$(BOARD)_defconfig
	$(MAKE) -C $(BUILDROOT_DIR) O=$(CURDIR)/$(APPLIANCE)/$(BOARD)/build
	cd $(APPLIANCE)/$(BOARD) && cp --sparse=always build/images/disk.img build/images/h5edge-$(BOARD).raucb .
	$(MAKE) -s --no-print-directory -C $(BUILDROOT_DIR) O=$(CURDIR)/$(APPLIANCE)/$(BOARD)/build show-info \
		| $(BUILDROOT_DIR)/utils/generate-cyclonedx >$(APPLIANCE)/$(BOARD)/sbom.cdx.json

## Lints of what the appliance is made of.
appliance-check: appliance-packages
	shellcheck --external-sources --source-path=SCRIPTDIR --exclude=SC2016,SC2154 $$(git ls-files 'buildroot/debian/*.sh' 'buildroot/ota/*.sh')
	@for script in hw-tests/lint/overlay.sh hw-tests/check.sh buildroot/check-offline.sh yocto/check.sh; do \
		if [ -e $$script ]; then echo "$$script"; $$script || exit 1; fi; done
