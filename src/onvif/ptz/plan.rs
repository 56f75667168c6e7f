//! How a camera's head is moved: the profile to name, its ranges, and the form of the request that the
//! camera takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::spaces::{Spaces, number};
use super::{LONGEST, Velocity, is_refusal};
use crate::onvif::media::Profile;
use crate::onvif::xml::escape;
use crate::onvif::{Camera, Failure, Service, Why};

/// The forms of a move, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Manner {
    /// Only what shall move, with a time limit where the camera tells how long that may be.
    Limited,
    /// Without the limit.
    Plain,
    /// Also the axis that shall not move, at speed zero: some cameras don't move without.
    AllAxes,
}

impl Manner {
    const ALL: [Self; 3] = [Self::Limited, Self::Plain, Self::AllAxes];
}

/// How a camera's head is moved.
#[derive(Debug)]
pub struct Plan {
    profile: String,
    spaces: Spaces,
    /// A [`Manner`], the one that worked last.
    manner: AtomicU8,
    no_stop: AtomicBool,
}

impl Plan {
    fn new(profile: &str, spaces: Spaces) -> Self {
        Self {
            profile: profile.to_owned(),
            spaces,
            manner: AtomicU8::new(Manner::Limited as u8),
            no_stop: AtomicBool::new(false),
        }
    }

    /// `<ProfileToken>` as an argument.
    pub fn profile_argument(&self) -> String {
        format!("<ProfileToken>{}</ProfileToken>", escape(&self.profile))
    }

    /// Arguments of `ContinuousMove` in all forms that differ, the one that worked last first.
    pub fn moves(&self, velocity: Velocity) -> Vec<(Manner, String)> {
        let known = self.manner.load(Ordering::Relaxed);
        let mut moves: Vec<(Manner, String)> = Vec::with_capacity(Manner::ALL.len());
        let (first, others): (Vec<_>, _) = Manner::ALL.into_iter().partition(|manner| *manner as u8 == known);
        for manner in first.into_iter().chain(others) {
            let arguments = self.arguments(velocity, manner);
            if moves.iter().all(|(_, other)| *other != arguments) {
                moves.push((manner, arguments));
            }
        }
        moves
    }

    /// The camera took this form.
    pub fn works(&self, manner: Manner) {
        self.manner.store(manner as u8, Ordering::Relaxed);
    }

    /// Arguments of `Stop`; `None` for a camera that knows none.
    pub fn stops(&self) -> Option<String> {
        let knows = !self.no_stop.load(Ordering::Relaxed);
        knows.then(|| self.profile_argument() + "<PanTilt>true</PanTilt><Zoom>true</Zoom>")
    }

    /// `Stop` was refused, and speed zero stopped it.
    pub fn has_no_stop(&self) {
        self.no_stop.store(true, Ordering::Relaxed);
    }

    fn arguments(&self, velocity: Velocity, manner: Manner) -> String {
        let all = manner == Manner::AllAxes;
        let mut arguments = self.profile_argument() + "<Velocity>";
        if let Some((pan, tilt)) = velocity.pan_tilt.or(all.then_some((0.0, 0.0))) {
            let (x, y) = (number(self.spaces.pan.scale(pan)), number(self.spaces.tilt.scale(tilt)));
            arguments += &format!(r#"<tt:PanTilt x="{x}" y="{y}"/>"#);
        }
        if let Some(zoom) = velocity.zoom.or(all.then_some(0.0)) {
            arguments += &format!(r#"<tt:Zoom x="{}"/>"#, number(self.spaces.zoom.scale(zoom)));
        }
        arguments += "</Velocity>";
        if let (Manner::Limited, Some(longest)) = (manner, self.spaces.timeout) {
            arguments += &format!("<Timeout>PT{}S</Timeout>", longest.min(LONGEST).as_secs());
        }
        arguments
    }
}

impl Camera {
    /// What was found out before, or is now.
    pub(super) async fn plan(&self) -> Result<Arc<Plan>, Failure> {
        let mut known = self.steering.plan.lock().await;
        if let Some(plan) = &*known {
            return Ok(plan.clone());
        }
        let profiles = self.profiles().await?;
        let main = self.choice().await.map(|choice| choice.main).ok();
        let profile = steered(&profiles, main.as_deref())
            .ok_or_else(|| Failure::new(Why::Unsupported, "the camera cannot be steered: it has no PTZ"))?;
        let argument = format!(
            "<ConfigurationToken>{}</ConfigurationToken>",
            escape(profile.ptz.as_deref().unwrap_or_default())
        );
        let spaces = match self.call(Service::Ptz, "GetConfigurationOptions", &argument).await {
            Ok(answer) => Spaces::read(&answer),
            Err(failure) if is_refusal(&failure) => Spaces::default(),
            Err(failure) => return Err(failure),
        };
        let plan = Arc::new(Plan::new(&profile.token, spaces));
        *known = Some(plan.clone());
        Ok(plan)
    }
}

/// The profile to steer by: the main one, else the first with a head. One of another lens is passed over
/// where the camera tells them apart: a recorder's channels are cameras of their own.
fn steered<'a>(profiles: &'a [Profile], main: Option<&str>) -> Option<&'a Profile> {
    let main = profiles.iter().find(|profile| Some(&*profile.token) == main);
    let lens = main.and_then(|main| main.video_source.as_deref());
    let same_lens = |profile: &&Profile| match (lens, profile.video_source.as_deref()) {
        (Some(lens), Some(other)) => lens == other,
        _ => true,
    };
    main.into_iter().chain(profiles.iter().filter(same_lens)).find(|profile| profile.ptz.is_some())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::spaces::Range;
    use super::*;

    fn profile(token: &str, lens: &str, ptz: Option<&str>) -> Profile {
        Profile {
            token: token.into(),
            video_source: (!lens.is_empty()).then(|| lens.into()),
            ptz: ptz.map(Into::into),
            ..Profile::default()
        }
    }

    #[test]
    fn the_main_profile_or_the_first_of_its_lens() {
        let profiles = [
            profile("other", "v2", Some("p2")),
            profile("main", "v1", None),
            profile("sub", "v1", Some("p1")),
            profile("third", "v1", Some("p1")),
        ];
        let found = |main| steered(&profiles, main).map(|profile| &*profile.token);
        assert_eq!(found(Some("third")), Some("third"));
        assert_eq!(found(Some("main")), Some("sub"));
        assert_eq!(found(None), Some("other"));
        assert_eq!(steered(&profiles[..2], Some("main")), None);
        let untold = [profile("main", "", None), profile("head", "v9", Some("p"))];
        assert_eq!(steered(&untold, Some("main")).map(|profile| &*profile.token), Some("head"));
    }

    #[test]
    fn only_the_axis_that_is_asked_for() {
        let plan = Plan::new("a <b>", Spaces::default());
        let moves = plan.moves(Velocity { pan_tilt: Some((-0.5, 0.0)), zoom: None });
        let start = "<ProfileToken>a &lt;b&gt;</ProfileToken><Velocity>";
        assert_eq!(
            moves,
            [
                (Manner::Limited, format!(r#"{start}<tt:PanTilt x="-0.5" y="0"/></Velocity>"#)),
                (
                    Manner::AllAxes,
                    format!(r#"{start}<tt:PanTilt x="-0.5" y="0"/><tt:Zoom x="0"/></Velocity>"#)
                ),
            ]
        );
        plan.works(Manner::AllAxes);
        let moves = plan.moves(Velocity { pan_tilt: None, zoom: Some(1.0) });
        assert_eq!(moves[0].0, Manner::AllAxes);
        assert!(moves[1].1.ends_with(r#"<Velocity><tt:Zoom x="1"/></Velocity>"#), "{moves:?}");
    }

    #[test]
    fn ranges_and_limits_of_the_camera() {
        let own = Range { min: -7.0, max: 7.0 };
        let limit = Some(Duration::from_secs(10));
        let plan = Plan::new("p", Spaces { pan: own, timeout: limit, ..Spaces::default() });
        let moves = plan.moves(Velocity { pan_tilt: Some((0.5, 0.5)), zoom: Some(0.5) });
        let axes = r#"<tt:PanTilt x="3.5" y="0.5"/><tt:Zoom x="0.5"/></Velocity>"#;
        assert!(moves[0].1.ends_with(&format!("{axes}<Timeout>PT10S</Timeout>")), "{moves:?}");
        assert!(moves[1].1.ends_with(axes) && moves.len() == 2, "{moves:?}");
        let long = Spaces { timeout: Some(Duration::from_secs(3600)), ..Spaces::default() };
        let moves = Plan::new("p", long).moves(Velocity { zoom: Some(-1.0), pan_tilt: None });
        assert!(moves[0].1.ends_with("<Timeout>PT60S</Timeout>"), "{moves:?}");
    }
}
