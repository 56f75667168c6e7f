# What the web page, RAUC's owner and a support call have to know of a box. The image adds the board, as this
# package is the same for all of them.
OS_RELEASE_FIELDS:append:h5edge-box = " BUILD_ID VARIANT_ID"

BUILD_ID:h5edge-box = "${@h5edge_commit(d)}"
VARIANT_ID:h5edge-box = "${H5EDGE_VARIANT}"
