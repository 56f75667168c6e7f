//! Ranges of speed, and how a speed from -1 to 1 becomes one of the camera's own.

use std::time::Duration;

use crate::onvif::xml::Element;

/// The space in which speeds go from -1 to 1 (ONVIF PTZ service, 5.8).
const GENERIC_SPACES: [&str; 2] = [
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace",
    "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace",
];

/// From the fastest one way to the fastest the other way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub min: f64,
    pub max: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self { min: -1.0, max: 1.0 }
    }
}

impl Range {
    /// From `<Min>` and `<Max>` inside; `None` where that is no range.
    pub fn read(element: &Element) -> Option<Self> {
        let number = |name| element.text_at(&[name])?.parse::<f64>().ok().filter(|n| n.is_finite());
        let range = Self { min: number("Min")?, max: number("Max")? };
        (range.min < range.max && range.max > 0.0).then_some(range)
    }

    /// `speed` (-1 to 1) on this range: 0 stays 0, the ends become the ends. A range without negative
    /// speeds is taken for one that does not tell them.
    pub fn scale(self, speed: f64) -> f64 {
        let speed = speed.clamp(-1.0, 1.0);
        match speed < 0.0 && self.min < 0.0 {
            true => -speed * self.min,
            false => speed * self.max,
        }
    }
}

/// The ranges of one camera (the answer to `GetConfigurationOptions`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spaces {
    pub pan: Range,
    pub tilt: Range,
    pub zoom: Range,
    /// Longest time limit of a move that the camera takes; `None` where it does not say.
    pub timeout: Option<Duration>,
}

impl Spaces {
    /// The generic spaces, or else the first ones; -1 to 1 where nothing is said.
    pub fn read(answer: &Element) -> Self {
        let space = |name| {
            let spaces = answer.find("Spaces")?;
            let is_generic =
                |space: &&Element| space.text_at(&["URI"]).is_some_and(|uri| GENERIC_SPACES.contains(&uri));
            spaces.all(name).find(is_generic).or_else(|| spaces.child(name))
        };
        let range = |space: Option<&Element>, axis| {
            space.and_then(|space| Range::read(space.child(axis)?)).unwrap_or_default()
        };
        let pan_tilt = space("ContinuousPanTiltVelocitySpace");
        let zoom = space("ContinuousZoomVelocitySpace");
        let timeout = answer.find("PTZTimeout").and_then(|limits| limits.text_at(&["Max"]));
        Self {
            pan: range(pan_tilt, "XRange"),
            tilt: range(pan_tilt, "YRange"),
            zoom: range(zoom, "XRange"),
            timeout: timeout.and_then(duration).filter(|longest| *longest >= Duration::from_secs(1)),
        }
    }
}

/// An `xs:duration` such as `PT10S` or `P1DT2H0.5S`, without years and months, whose length nobody knows.
pub fn duration(text: &str) -> Option<Duration> {
    let (days, time) = text.strip_prefix('P')?.split_once('T').unwrap_or((text.get(1..)?, ""));
    let mut seconds = 0.0;
    for (mut part, units) in
        [(days, &[('D', 86_400.0)][..]), (time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])]
    {
        while !part.is_empty() {
            let end = part.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, rest) = part.split_at(end);
            let unit = rest.chars().next()?;
            let (_, length) = units.iter().find(|(name, _)| *name == unit)?;
            seconds += number.parse::<f64>().ok()? * length;
            part = rest.get(1..)?;
        }
    }
    (text.len() > 2).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

/// A number as XML has it, to a thousandth, never `-0`.
pub fn number(value: f64) -> String {
    format!("{}", (value * 1000.0).round() / 1000.0 + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml::parse;

    fn read(spaces: &str) -> Spaces {
        let answer = format!(
            "<r><PTZConfigurationOptions><Spaces>{spaces}</Spaces>\
             <PTZTimeout><Min>PT1S</Min><Max>PT10S</Max></PTZTimeout></PTZConfigurationOptions></r>"
        );
        Spaces::read(&parse(answer.as_bytes()).unwrap())
    }

    fn space(name: &str, uri: &str, x: (f64, f64), y: Option<(f64, f64)>) -> String {
        let range = |axis, (min, max)| format!("<{axis}><Min>{min}</Min><Max>{max}</Max></{axis}>");
        let y = y.map(|y| range("YRange", y)).unwrap_or_default();
        format!("<{name}><URI>{uri}</URI>{}{y}</{name}>", range("XRange", x))
    }

    #[test]
    fn the_generic_space_is_preferred() {
        let name = "ContinuousPanTiltVelocitySpace";
        let spaces = [
            space(name, "urn:millimetres", (-7.0, 7.0), Some((-5.0, 5.0))),
            space(name, GENERIC_SPACES[0], (-1.0, 1.0), Some((-1.0, 1.0))),
        ];
        assert_eq!(read(&spaces.concat()).pan, Range::default());
        let own = read(&spaces[0]);
        assert_eq!((own.pan.scale(0.5), own.pan.scale(-1.0), own.tilt.scale(0.5)), (3.5, -7.0, 2.5));
        assert_eq!(own.timeout, Some(Duration::from_secs(10)));
        assert_eq!(own.zoom, Range::default());
    }

    #[test]
    fn odd_ranges_do_no_harm() {
        let zoom = |x| read(&space("ContinuousZoomVelocitySpace", "urn:x", x, None)).zoom;
        assert_eq!(zoom((0.0, 8.0)).scale(-0.5), -4.0);
        assert_eq!(zoom((-2.0, 4.0)).scale(-0.5), -1.0);
        for wrong in [(1.0, -1.0), (0.0, 0.0), (-3.0, -1.0), (f64::NAN, 1.0), (-1.0, f64::INFINITY)] {
            assert_eq!(zoom(wrong), Range::default(), "{wrong:?}");
        }
        assert_eq!(Range::default().scale(7.0), 1.0);
        assert_eq!(read(""), Spaces { timeout: Some(Duration::from_secs(10)), ..Spaces::default() });
    }

    #[test]
    fn durations() {
        for (text, seconds) in
            [("PT10S", 10.0), ("PT1M", 60.0), ("P1DT1H1M1.5S", 90_061.5), ("P2D", 172_800.0), ("PT0S", 0.0)]
        {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for wrong in ["", "P", "PT", "10S", "PT10", "PT-5S", "P1Y", "PTS", "PT1é", "PT1e300H", "-PT1S"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_short_and_have_no_minus_zero() {
        assert_eq!([0.1 + 0.2, -0.0, -0.5, 1.0, 3.5].map(number), ["0.3", "0", "-0.5", "1", "3.5"]);
    }
}
