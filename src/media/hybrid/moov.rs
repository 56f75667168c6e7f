//! The `moov` of a completed file.
