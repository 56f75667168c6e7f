//! The HTTP side of a camera: one warm connection, plain or TLS with a pin, bounded in time and bytes.
