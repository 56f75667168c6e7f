//! Frames and what is made of them: no sockets, no GStreamer, no clock of its own.

pub mod aac;
pub mod bits;
pub mod fmp4;
pub mod frame;
pub mod h264;
pub mod h265;
pub mod hub;
pub mod hybrid;
pub mod live;
pub mod nal;
pub mod params;
pub mod recorded;
pub mod reorder;
pub mod rtp;
pub mod stage;
pub mod stream;
pub mod ts;
