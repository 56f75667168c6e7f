FILESEXTRAPATHS:prepend:h5edge-box := "${H5EDGE_ROOT}/yocto/meta-h5edge/recipes-kernel/linux/files:"

SRC_URI:append:h5edge-box = " file://h5edge.cfg"
