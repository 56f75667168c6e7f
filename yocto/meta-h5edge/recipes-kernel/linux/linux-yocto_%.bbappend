FILESEXTRAPATHS:prepend:h5edge-box := "${THISDIR}/files:"

SRC_URI:append:h5edge-box = " file://h5edge.cfg"
