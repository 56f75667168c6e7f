//! H.265 parameter sets (ITU-T H.265 7.3.2).
