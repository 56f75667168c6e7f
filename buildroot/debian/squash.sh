#!/usr/bin/env bash
# squash.sh ROOT OUT: ROOT as a squashfs, the same bytes from the same content: everything is root's, and from the commit's
# time (SOURCE_DATE_EPOCH). LEVEL is that of the compression; a test may want it faster.
set -euo pipefail
chmod 600 "$1"/etc/shadow "$1"/etc/gshadow
env -u SOURCE_DATE_EPOCH mksquashfs "$1" "$2" -noappend -quiet -no-progress -all-root -no-xattrs -reproducible \
    -mkfs-time "$SOURCE_DATE_EPOCH" -all-time "$SOURCE_DATE_EPOCH" \
    -comp zstd -Xcompression-level "${LEVEL:-19}" -b 256K
