//! Inputs: one file per kind, and the one reconnect policy.
