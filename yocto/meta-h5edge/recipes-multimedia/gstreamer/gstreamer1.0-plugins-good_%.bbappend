# Stateful decoders and encoders (v4l2, which also looks for devices), found by udev's names; JPEG.
PACKAGECONFIG:h5edge-box = "${GSTREAMER_ORC} gudev jpeg v4l2"
