//! Steering: moves, presets, focus and iris.

use super::{Camera, Failure};

/// Speeds from -1 to 1 of the axes that shall move; the others are not mentioned to the camera, as
/// many refuse an axis that they don't have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Velocity {
    /// Right is positive, up is positive.
    pub pan_tilt: Option<(f64, f64)>,
    /// In is positive.
    pub zoom: Option<f64>,
}

/// One of the camera's presets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Opaque.
    pub token: String,
    pub name: String,
}

impl Camera {
    /// Moves until [`Self::stop`], or until our own timer stops it.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where the camera cannot move so.
    pub async fn move_at(&self, velocity: Velocity) -> Result<(), Failure> {
        let _ = velocity;
        unimplemented!()
    }

    /// # Errors
    /// As [`Camera::call`].
    pub async fn stop(&self) -> Result<(), Failure> {
        unimplemented!()
    }

    /// # Errors
    /// As [`Camera::call`].
    pub async fn presets(&self) -> Result<Vec<Preset>, Failure> {
        unimplemented!()
    }

    /// Stores where the camera looks now, as a new preset or over the one with `token`; gives the
    /// camera's token.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn set_preset(&self, name: &str, token: Option<&str>) -> Result<String, Failure> {
        let _ = (name, token);
        unimplemented!()
    }

    /// # Errors
    /// As [`Camera::call`].
    pub async fn go_to_preset(&self, token: &str) -> Result<(), Failure> {
        let _ = token;
        unimplemented!()
    }

    /// # Errors
    /// As [`Camera::call`].
    pub async fn remove_preset(&self, token: &str) -> Result<(), Failure> {
        let _ = token;
        unimplemented!()
    }
}
