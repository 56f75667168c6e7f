//! Focus and iris, which are the imaging service's (ONVIF Imaging service, 5.1.3 and 5.1.5).

use std::sync::Arc;

use super::is_refusal;
use super::spaces::{Range, number};
use crate::onvif::xml::{Element, escape};
use crate::onvif::{Camera, Failure, Service, Why};

/// How much of the iris' range one whole step is.
const STEP: f64 = 0.2;

/// What can be moved in front of a video source.
#[derive(Clone, Debug, PartialEq)]
pub struct Lens {
    /// Token of the video source.
    source: String,
    /// Speeds of the focus; `None` where it cannot be moved.
    focus: Option<Range>,
    /// Attenuation in dB: the least is an open iris.
    iris: Option<(f64, f64)>,
}

impl Lens {
    /// `<VideoSourceToken>` as an argument.
    pub fn source_argument(&self) -> String {
        format!("<VideoSourceToken>{}</VideoSourceToken>", escape(&self.source))
    }

    /// Arguments of `Move`.
    pub fn focus_move(&self, speed: f64) -> Result<String, Failure> {
        let range = self.focus.ok_or_else(|| not_offered("focus"))?;
        let speed = number(range.scale(speed));
        let movement = format!("<Focus><tt:Continuous><tt:Speed>{speed}</tt:Speed></tt:Continuous></Focus>");
        Ok(self.source_argument() + &movement)
    }

    /// Arguments of `SetImagingSettings`, from the settings so far.
    pub fn iris_step(&self, settings: &Element, step: f64) -> Result<String, Failure> {
        let (min, max) = self.iris.ok_or_else(|| not_offered("iris"))?;
        let now = settings.find("Exposure").and_then(|exposure| exposure.text_at(&["Iris"]));
        // A camera that regulates it itself may not tell: then from the middle.
        let now = now.and_then(|iris| iris.parse().ok()).unwrap_or(f64::midpoint(min, max));
        let iris = number((now - step * STEP * (max - min)).clamp(min, max));
        let settings = format!(
            "<ImagingSettings><tt:Exposure><tt:Mode>MANUAL</tt:Mode><tt:Iris>{iris}</tt:Iris></tt:Exposure>\
             </ImagingSettings><ForcePersistence>false</ForcePersistence>"
        );
        Ok(self.source_argument() + &settings)
    }

    fn read(source: String, moves: Option<&Element>, options: Option<&Element>) -> Self {
        let continuous = moves.and_then(|moves| moves.find("Continuous"));
        let speeds = |continuous: &Element| continuous.child("Speed").and_then(Range::read);
        let exposure = options.and_then(|options| options.find("Exposure"));
        let iris = exposure.and_then(|exposure| {
            let number = |name| exposure.text_at(&["Iris", name])?.parse::<f64>().ok();
            let manual = exposure.all("Mode").any(|mode| mode.text == "MANUAL");
            let (min, max) = (number("Min")?, number("Max")?);
            (manual && min.is_finite() && max.is_finite() && min < max).then_some((min, max))
        });
        Self { source, focus: continuous.map(|continuous| speeds(continuous).unwrap_or_default()), iris }
    }
}

fn not_offered(what: &str) -> Failure {
    Failure::new(Why::Unsupported, format!("the camera does not let its {what} be moved"))
}

impl Camera {
    /// What was found out before, or is now.
    pub(super) async fn lens(&self) -> Result<Arc<Lens>, Failure> {
        let mut known = self.steering.lens.lock().await;
        if let Some(lens) = &*known {
            return Ok(lens.clone());
        }
        let main = self.choice().await?.main;
        let profile = self.profiles().await?.into_iter().find(|profile| profile.token == main);
        let source = profile.and_then(|profile| profile.video_source).ok_or_else(|| {
            Failure::new(Why::Unsupported, "the camera does not say which lens the profile belongs to")
        })?;
        let argument = format!("<VideoSourceToken>{}</VideoSourceToken>", escape(&source));
        let moves = self.offer("GetMoveOptions", &argument).await?;
        let options = self.offer("GetOptions", &argument).await?;
        let lens = Arc::new(Lens::read(source, moves.as_ref(), options.as_ref()));
        *known = Some(lens.clone());
        Ok(lens)
    }

    /// The answer, or `None` where the camera does not have that.
    async fn offer(&self, operation: &str, argument: &str) -> Result<Option<Element>, Failure> {
        match self.call(Service::Imaging, operation, argument).await {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if is_refusal(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml::parse;

    fn lens(moves: &str, options: &str) -> Lens {
        let [moves, options] = [moves, options].map(|text| parse(text.as_bytes()).unwrap());
        Lens::read("v 1".into(), Some(&moves), Some(&options))
    }

    #[test]
    fn speeds_and_steps_on_the_cameras_ranges() {
        let lens = lens(
            "<r><MoveOptions><Continuous><Speed><Min>-4</Min><Max>4</Max></Speed></Continuous></MoveOptions></r>",
            "<r><ImagingOptions><Exposure><Mode>AUTO</Mode><Mode>MANUAL</Mode>\
             <Iris><Min>0</Min><Max>10</Max></Iris></Exposure></ImagingOptions></r>",
        );
        let far = lens.focus_move(0.5).unwrap();
        assert!(far.contains("<VideoSourceToken>v 1</VideoSourceToken>"), "{far}");
        assert!(far.contains("<tt:Continuous><tt:Speed>2</tt:Speed></tt:Continuous>"), "{far}");
        let settings =
            |iris| parse(format!("<r><Exposure><Iris>{iris}</Iris></Exposure></r>").as_bytes()).unwrap();
        let iris = |now, step| lens.iris_step(&settings(now), step).unwrap();
        assert!(iris("5", 0.5).contains("<tt:Iris>4</tt:Iris>"), "opening takes attenuation away");
        assert!(iris("9.5", -0.5).contains("<tt:Iris>10</tt:Iris>"), "not beyond its end");
        assert!(iris("", 0.5).contains("<tt:Iris>4</tt:Iris>"), "from the middle");
    }

    #[test]
    fn what_is_not_offered_is_refused_in_words() {
        let lens = lens(
            "<r><MoveOptions><Absolute/></MoveOptions></r>",
            "<r><Exposure><Mode>AUTO</Mode><Iris><Min>0</Min><Max>10</Max></Iris></Exposure></r>",
        );
        let refusal = lens.focus_move(1.0).unwrap_err();
        assert_eq!(refusal.why, Why::Unsupported);
        assert_eq!(refusal.text, "the camera does not let its focus be moved");
        let settings = Element::default();
        assert_eq!(
            lens.iris_step(&settings, 1.0).unwrap_err().text,
            "the camera does not let its iris be moved"
        );
    }
}
