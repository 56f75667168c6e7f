//! What a camera shows: profiles, and where their streams and pictures are. Media2 first, as Media1
//! knows no H.265; Media1 where that is absent or broken.

use super::{Camera, Failure};

/// One profile of a camera, as far as the camera tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Opaque: may hold blanks, is never trimmed or counted.
    pub token: String,
    pub name: String,
    /// `H264`, `H265`, `JPEG`, …, in upper case; empty where the camera does not say.
    pub codec: String,
    /// 0 where the camera does not say; so the next three.
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub kbps: u32,
    /// Token of the video source; profiles of one lens share it.
    pub video_source: Option<String>,
    /// Token of the PTZ configuration.
    pub ptz: Option<String>,
}

/// Tokens of the profiles that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub main: String,
    pub sub: Option<String>,
}

impl Camera {
    /// All profiles, in the camera's order.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn profiles(&self) -> Result<Vec<Profile>, Failure> {
        unimplemented!()
    }

    /// RTSP address of a profile, without credentials, its host the one that we were told.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn stream_url(&self, profile: &str) -> Result<String, Failure> {
        let _ = profile;
        unimplemented!()
    }

    /// The profiles for main and sub: those that the address names, else the largest, and the smallest
    /// of the same video source.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where no profile carries video that can be shown.
    pub async fn choice(&self) -> Result<Choice, Failure> {
        unimplemented!()
    }
}
