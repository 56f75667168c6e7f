//! Logging: levels per module, repeated lines collapsed.
