//! The timestamp stage: makes a source's time stamps fit the contract of [`super::frame::Frame`].
