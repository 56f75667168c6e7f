//! H.264 parameter sets (ITU-T H.264 7.3.2).
