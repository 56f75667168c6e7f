//! One pull-point subscription: made, asked, prolonged and given back (ONVIF Core 9.1; OASIS
//! WS-BaseNotification 1.3; WS-Addressing 1.0).

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::notice::{self, Notice};
use crate::onvif::xml::{Element, escape};
use crate::onvif::{Camera, Failure, Service, Why};

/// How long a subscription is asked to last. Half of it later it is prolonged.
const TERM: Duration = Duration::from_secs(60);
/// How long a camera is asked to wait for events, at most, before it answers that there are none. Well
/// below the time that a call may take.
const POLL: Duration = Duration::from_secs(5);
/// Most events in one answer.
const AT_ONCE: u32 = 64;
/// One that cannot be prolonged is replaced so long before its end: it must outlive another question.
const LAST_MOMENT: Duration = Duration::from_secs(6);

/// A subscription that a camera holds for us.
#[derive(Debug)]
pub struct Subscription {
    /// As the camera wrote it.
    address: String,
    /// `ReferenceParameters` that it wants back as headers.
    parameters: String,
    ends: Instant,
    term: Duration,
    /// Whether the camera knows `Renew`; many prolong with each question.
    renewable: bool,
}

impl Subscription {
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where the camera has no events.
    pub async fn begin(camera: &Camera) -> Result<Self, Failure> {
        let term = format!("<InitialTerminationTime>PT{}S</InitialTerminationTime>", TERM.as_secs());
        let operation = "CreatePullPointSubscription";
        let answer = match camera.call(Service::Events, operation, &term).await {
            // Some cameras don't take a time that is relative.
            Err(failure) if failure.why == Why::Refused => {
                camera.call(Service::Events, operation, "").await?
            }
            answer => answer?,
        };
        let reference = answer.child("SubscriptionReference");
        let address = reference
            .and_then(|reference| reference.text_at(&["Address"]))
            .ok_or_else(|| Failure::new(Why::NotOnvif, "the camera does not say where its events are"))?;
        let parameters = reference.and_then(|reference| reference.child("ReferenceParameters"));
        let mut subscription = Self {
            address: address.to_owned(),
            parameters: parameters.iter().flat_map(|parameters| &parameters.children).map(copy).collect(),
            ends: Instant::now() + TERM,
            term: TERM,
            renewable: true,
        };
        subscription.begins(&answer);
        Ok(subscription)
    }

    /// What has happened; waits a while for it.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn pull(&mut self, camera: &Camera) -> Result<Vec<Notice>, Failure> {
        let seconds = POLL.min(self.term / 3).as_secs().max(1);
        let arguments = format!("<Timeout>PT{seconds}S</Timeout><MessageLimit>{AT_ONCE}</MessageLimit>");
        let answer = self.ask(camera, "PullMessages", &arguments).await?;
        // Many cameras prolong with each question.
        if let Some(left) = left(&answer) {
            self.ends = Instant::now() + left;
        }
        Ok(notice::read(&answer))
    }

    /// Prolongs it when it is time; `false` when it is about to end and cannot be prolonged.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn keep(&mut self, camera: &Camera) -> Result<bool, Failure> {
        let left = self.ends.saturating_duration_since(Instant::now());
        if left > self.term / 2 {
            return Ok(true);
        }
        if self.renewable {
            let arguments = format!("<TerminationTime>PT{}S</TerminationTime>", TERM.as_secs());
            match self.ask(camera, "Renew", &arguments).await {
                Ok(answer) => {
                    self.begins(&answer);
                    return Ok(true);
                }
                Err(failure) if matches!(failure.why, Why::Refused | Why::Unsupported) => {
                    self.renewable = false
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(left > LAST_MOMENT.min(self.term / 2))
    }

    /// Gives it back.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn end(&self, camera: &Camera) -> Result<(), Failure> {
        self.ask(camera, "Unsubscribe", "").await.map(drop)
    }

    async fn ask(&self, camera: &Camera, operation: &str, arguments: &str) -> Result<Element, Failure> {
        camera.call_at(&self.address, &self.parameters, Service::Events, operation, arguments).await
    }

    /// It lasts for as long as the answer says, or as it was asked for.
    fn begins(&mut self, answer: &Element) {
        self.term = left(answer).unwrap_or(TERM);
        self.ends = Instant::now() + self.term;
    }
}

/// From now to the end, by the camera's own clock; `None` where it says nothing that can be meant.
fn left(answer: &Element) -> Option<Duration> {
    let time = |name| {
        let text = answer.text_at(&[name])?;
        text.parse::<Timestamp>().or_else(|_| format!("{text}Z").parse()).ok()
    };
    let left = time("TerminationTime")?.duration_since(time("CurrentTime")?);
    Duration::try_from(left).ok().filter(|left| *left >= Duration::from_secs(1))
}

/// A reference parameter as a header.
fn copy(element: &Element) -> String {
    let mut attributes = String::new();
    if !element.namespace.is_empty() {
        attributes += &format!(r#" xmlns="{}""#, escape(&element.namespace));
    }
    for (name, value) in &element.attributes {
        attributes += &format!(r#" {name}="{}""#, escape(value));
    }
    let inside: String = element.children.iter().map(copy).collect();
    let name = &element.name;
    format!("<{name}{attributes}>{}{inside}</{name}>", escape(&element.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml::parse;

    #[test]
    fn how_long_it_lasts() {
        let left = |now, end| {
            let text =
                format!("<r><CurrentTime>{now}</CurrentTime><TerminationTime>{end}</TerminationTime></r>");
            left(&parse(text.as_bytes()).unwrap())
        };
        assert_eq!(left("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"), Some(Duration::from_secs(60)));
        assert_eq!(left("2026-01-01T00:00:00", "2026-01-01T00:00:10"), Some(Duration::from_secs(10)));
        for (now, end) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("now", "then"),
            ("", "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(left(now, end), None, "{now} {end}");
        }
    }

    #[test]
    fn reference_parameters_come_back_as_they_were() {
        let text = r#"<r xmlns:v="http://vendor/&lt;"><v:Id a="1&quot;">4<v:Part/>&amp;2</v:Id></r>"#;
        let parameter = parse(text.as_bytes()).unwrap().children.remove(0);
        let again = parse(copy(&parameter).as_bytes()).unwrap();
        assert_eq!(again, parameter);
    }
}
