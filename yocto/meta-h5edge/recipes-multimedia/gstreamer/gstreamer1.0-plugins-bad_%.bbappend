# Stateless decoders in hardware, and software for the boards that have none. Live WebRTC is the daemon's
# own, so webrtc, srtp and sctp stay off; so do the plugins that would bring in desktop libraries.
PACKAGECONFIG:h5edge-box = "${GSTREAMER_ORC} libde265 openh264 v4l2codecs"
