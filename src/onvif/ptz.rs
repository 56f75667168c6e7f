//! Steering: moves with their stop timer, presets, focus and iris.
//!
//! What has to be known before (the profile, its ranges, which form of request the camera takes) is asked
//! once and kept with the camera, so that a command is one request on the warm connection. While a camera
//! moves there is one task that stops it after [`LONGEST`], as cameras ignore the time limit of a move.
//! Memory: one [`Plan`] and one [`Lens`] for each camera.

mod hold;
mod lens;
mod plan;
mod presets;
mod spaces;

use std::sync::Arc;
use std::time::Duration;

pub use self::hold::Steering;
use self::hold::What;
use self::lens::Lens;
use self::plan::Plan;
use super::{Camera, Failure, Service, Why};

/// A camera that nobody stops, nor tells to move again, is stopped after this time.
pub const LONGEST: Duration = Duration::from_secs(60);

/// Speeds from -1 to 1 of the axes that shall move; the others are not mentioned to the camera, as
/// many refuse an axis that they don't have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Velocity {
    /// Right is positive, up is positive.
    pub pan_tilt: Option<(f64, f64)>,
    /// In is positive.
    pub zoom: Option<f64>,
}

impl Velocity {
    /// The same axes, standing still.
    fn halted(self) -> Self {
        Self { pan_tilt: self.pan_tilt.map(|_| (0.0, 0.0)), zoom: self.zoom.map(|_| 0.0) }
    }
}

/// One of the camera's presets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Opaque.
    pub token: String,
    /// Empty where it has none.
    pub name: String,
}

/// Whether the camera understood and does not want to, so that another form of the request may help.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.why, Why::Refused | Why::Unsupported)
}

impl Camera {
    /// Moves until [`Self::stop`], or until our own timer stops it after [`LONGEST`]; each further call
    /// begins that time anew.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where the camera cannot move so.
    pub async fn move_at(self: &Arc<Self>, velocity: Velocity) -> Result<(), Failure> {
        let plan = self.plan().await?;
        // Before it is sent: a camera whose answer was lost moves as well.
        let began = self.hold(What::Head(velocity));
        let moved = self.send_move(&plan, velocity).await;
        if let (Err(failure), Some(began)) = (&moved, began)
            && is_refusal(failure)
        {
            self.steering.release(began);
        }
        moved
    }

    /// Stops what moves: pan, tilt and zoom, or the focus if only that was set in motion.
    ///
    /// # Errors
    /// As [`Camera::call`]; the timer goes on then.
    pub async fn stop(&self) -> Result<(), Failure> {
        let held = self.steering.held();
        self.halt(held.what).await?;
        if let Some(id) = held.id {
            self.steering.release(id);
        }
        Ok(())
    }

    /// Moves the focus until [`Self::stop`], or as long as [`Self::move_at`] does: far for a positive
    /// speed, near for a negative one, from -1 to 1.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where the camera does not offer it.
    pub async fn focus(self: &Arc<Self>, speed: f64) -> Result<(), Failure> {
        let lens = self.lens().await?;
        let arguments = lens.focus_move(speed)?;
        let began = self.hold(What::Focus);
        let moved = self.call(Service::Imaging, "Move", &arguments).await;
        if let (Err(failure), Some(began)) = (&moved, began)
            && is_refusal(failure)
        {
            self.steering.release(began);
        }
        moved.map(drop)
    }

    /// Opens the iris by a step for a positive `step`, closes it for a negative one; 1 is a fifth of its
    /// range. The camera's exposure is manual from then on.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where the camera does not offer it.
    pub async fn iris(&self, step: f64) -> Result<(), Failure> {
        let lens = self.lens().await?;
        let settings = self.call(Service::Imaging, "GetImagingSettings", &lens.source_argument()).await?;
        let arguments = lens.iris_step(&settings, step)?;
        self.call(Service::Imaging, "SetImagingSettings", &arguments).await.map(drop)
    }

    /// Tries the forms of the request that the camera may take, the one that worked last time first.
    async fn send_move(&self, plan: &Plan, velocity: Velocity) -> Result<(), Failure> {
        let mut refusal = None;
        for (manner, arguments) in plan.moves(velocity) {
            match self.call(Service::Ptz, "ContinuousMove", &arguments).await {
                Ok(_) => {
                    plan.works(manner);
                    return Ok(());
                }
                Err(failure) if is_refusal(&failure) => {
                    refusal.get_or_insert(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        // Its profiles may have changed since.
        self.steering.forget_plan().await;
        Err(refusal.unwrap_or_else(|| Failure::new(Why::Unsupported, "nothing was to be moved")))
    }

    /// Sends what stops `what`; without it, whatever may move.
    async fn halt(&self, what: Option<What>) -> Result<(), Failure> {
        let velocity = match what {
            Some(What::Focus) => {
                let lens = self.lens().await?;
                return self.call(Service::Imaging, "Stop", &lens.source_argument()).await.map(drop);
            }
            Some(What::Head(velocity)) => velocity,
            None => Velocity { pan_tilt: Some((0.0, 0.0)), zoom: None },
        };
        let plan = self.plan().await?;
        let refusal = match plan.stops() {
            Some(arguments) => match self.call(Service::Ptz, "Stop", &arguments).await {
                Err(failure) if is_refusal(&failure) => Some(failure),
                stopped => return stopped.map(drop),
            },
            None => None,
        };
        // Some cameras know no Stop, and stand still at speed zero.
        match (self.send_move(&plan, velocity.halted()).await, refusal) {
            (Ok(()), _) => {
                plan.has_no_stop();
                Ok(())
            }
            (Err(failure), Some(refusal)) if is_refusal(&failure) => Err(refusal),
            (stopped, _) => stopped,
        }
    }
}
