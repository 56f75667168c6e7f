//! The configuration file: every key, its default, unit and bounds.
