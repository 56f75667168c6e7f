//! A head and a reporter for [`Front`](crate::front::Front): pan, tilt, zoom, presets, lens and events of a camera that
//! writes down what it is told, with the quirks that a test wants.

use jiff::{SignedDuration, Timestamp};

use h5edge::onvif::xml::{Element, escape};

/// What a refused operation is answered with: subcode and text.
pub type Refusal = (&'static str, &'static str);

/// What can be changed while it runs.
#[derive(Debug, Default)]
pub struct Head {
    /// What it was told, in order: the operations of PTZ, imaging and subscriptions.
    pub told: Vec<Element>,
    /// Profile that has the head; the first without.
    pub profile: Option<&'static str>,
    pub quirks: Quirks,
    /// Token and name.
    pub presets: Vec<(String, String)>,
    /// Notifications that wait to be fetched.
    pub events: Vec<String>,
    /// Until when it keeps the subscription; it asks to be told again in time.
    pub subscribed: Option<Timestamp>,
    /// How many there were.
    pub subscriptions: usize,
}

/// What is odd about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quirks {
    /// Moves only when told about both axes, and takes no time limit.
    pub wants_all_axes: bool,
    pub no_stop: bool,
    /// Speeds from -7 to 7 instead of the generic space.
    pub millimetres: bool,
    /// Does not know `Renew`.
    pub no_renew: bool,
}

/// How long a subscription lasts.
const TERM: SignedDuration = SignedDuration::from_secs(10);
/// The header that a subscription of [`Head`] wants back.
const PARAMETER: &str = "urn:test:events";

impl Head {
    /// What it was told of `operation`.
    pub fn all(&self, operation: &str) -> Vec<Element> {
        self.told.iter().filter(|told| told.name == operation).cloned().collect()
    }

    /// Reports a change of something boolean.
    pub fn report(&mut self, topic: &str, source: (&str, &str), data: (&str, bool)) {
        self.events.push(format!(
            "<wsnt:NotificationMessage xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\"><wsnt:Topic>{topic}</wsnt:Topic>\
             <wsnt:Message><tt:Message UtcTime=\"2026-01-01T00:00:00Z\" PropertyOperation=\"Changed\"><tt:Source>\
             <tt:SimpleItem Name=\"{}\" Value=\"{}\"/></tt:Source><tt:Data><tt:SimpleItem Name=\"{}\" Value=\"{}\"/></tt:Data>\
             </tt:Message></wsnt:Message></wsnt:NotificationMessage>",
            source.0, source.1, data.0, data.1
        ));
    }

    pub fn motion(&mut self, active: bool) {
        self.report("tns1:RuleEngine/CellMotionDetector/Motion", ("Rule", "Cells 1"), ("IsMotion", active));
    }

    /// The inside of the answer; `None` for operations that are not the head's.
    pub fn answer(
        &mut self,
        envelope: &Element,
        operation: &Element,
        port: u16,
    ) -> Option<Result<String, Refusal>> {
        if !["ver20/ptz", "ver20/imaging", "ver10/events", "wsn/b-2"]
            .iter()
            .any(|part| operation.namespace.contains(part))
        {
            return None;
        }
        self.told.push(operation.clone());
        let text = |name: &str| operation.find(name).map(|found| found.text.clone());
        Some(match operation.name.as_str() {
            "GetConfigurationOptions" => Ok(self.options()),
            "ContinuousMove" => self.takes(operation),
            "Stop" if operation.namespace.contains("ptz") && self.quirks.no_stop => {
                Err(("ter:ActionNotSupported", "no stop"))
            }
            "Stop" | "Move" | "SetImagingSettings" => Ok(String::new()),
            "GetPresets" => Ok(self.presets.iter().map(preset).collect()),
            "SetPreset" => self.set_preset(text("PresetName").unwrap_or_default(), text("PresetToken")),
            "GotoPreset" | "RemovePreset" => {
                let token = text("PresetToken").unwrap_or_default();
                match self.presets.iter().position(|(known, _)| *known == token) {
                    Some(at) if operation.name == "RemovePreset" => {
                        self.presets.remove(at);
                        Ok(String::new())
                    }
                    Some(_) => Ok(String::new()),
                    None => Err(("ter:NoToken", "no such preset")),
                }
            }
            "GetMoveOptions" => Ok("<timg:MoveOptions xmlns:timg=\"t\"><tt:Continuous><tt:Speed><tt:Min>-2</tt:Min>\
                                    <tt:Max>2</tt:Max></tt:Speed></tt:Continuous></timg:MoveOptions>"
                .into()),
            "GetOptions" => Ok("<timg:ImagingOptions xmlns:timg=\"t\"><tt:Exposure><tt:Mode>MANUAL</tt:Mode><tt:Iris>\
                                <tt:Min>0</tt:Min><tt:Max>20</tt:Max></tt:Iris></tt:Exposure></timg:ImagingOptions>"
                .into()),
            "GetImagingSettings" => Ok("<timg:ImagingSettings xmlns:timg=\"t\"><tt:Exposure><tt:Iris>10</tt:Iris>\
                                        </tt:Exposure></timg:ImagingSettings>"
                .into()),
            "CreatePullPointSubscription" => {
                self.subscribed = Some(Timestamp::now() + TERM);
                self.subscriptions += 1;
                Ok(format!(
                    "<tev:SubscriptionReference xmlns:tev=\"e\"><wsa:Address xmlns:wsa=\"a\">\
                     http://198.51.100.99:{port}/onvif/subscription?n={n}</wsa:Address><wsa:ReferenceParameters xmlns:wsa=\"a\">\
                     <v:Id xmlns:v=\"{PARAMETER}\">{n}</v:Id></wsa:ReferenceParameters></tev:SubscriptionReference>{}",
                    self.times(),
                    n = self.subscriptions
                ))
            }
            _ if !self.is_current(envelope) => Err(("ter:InvalidArgVal", "no such subscription")),
            "PullMessages" => Ok(format!("{}{}", self.times(), self.events.drain(..).collect::<String>())),
            "Renew" if self.quirks.no_renew => Err(("ter:ActionNotSupported", "no renewal")),
            "Renew" => {
                self.subscribed = Some(Timestamp::now() + TERM);
                Ok(self.times())
            }
            "Unsubscribe" => {
                self.subscribed = None;
                Ok(String::new())
            }
            _ => Err(("ter:ActionNotSupported", "not here")),
        })
    }

    /// Whether a question that waits for events has something to wait for.
    pub fn is_idle(&self) -> bool {
        self.events.is_empty()
    }

    fn is_current(&self, envelope: &Element) -> bool {
        let header = envelope.child("Header").and_then(|header| header.child("Id"));
        let right =
            header.is_some_and(|id| id.namespace == PARAMETER && id.text == self.subscriptions.to_string());
        right
            && self.subscribed > Some(Timestamp::now())
            && envelope.find("To").is_some_and(|to| to.text.starts_with("http://198.51.100.99:"))
    }

    fn times(&self) -> String {
        let (now, end) = (Timestamp::now(), self.subscribed.unwrap_or_default());
        format!(
            "<wsnt:CurrentTime xmlns:wsnt=\"n\">{now}</wsnt:CurrentTime>\
             <wsnt:TerminationTime xmlns:wsnt=\"n\">{end}</wsnt:TerminationTime>"
        )
    }

    fn options(&self) -> String {
        let (uri, most) = match self.quirks.millimetres {
            true => ("urn:test:millimetres", 7),
            false => ("http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace", 1),
        };
        let range = |axis| format!("<tt:{axis}><tt:Min>-{most}</tt:Min><tt:Max>{most}</tt:Max></tt:{axis}>");
        let (x, y) = (range("XRange"), range("YRange"));
        format!(
            "<tptz:PTZConfigurationOptions xmlns:tptz=\"p\"><tt:Spaces><tt:ContinuousPanTiltVelocitySpace><tt:URI>{uri}</tt:URI>\
             {x}{y}</tt:ContinuousPanTiltVelocitySpace></tt:Spaces><tt:PTZTimeout><tt:Min>PT1S</tt:Min><tt:Max>PT10S</tt:Max>\
             </tt:PTZTimeout></tptz:PTZConfigurationOptions>"
        )
    }

    fn takes(&self, operation: &Element) -> Result<String, Refusal> {
        let velocity = operation.child("Velocity").expect("a velocity");
        let both = velocity.child("PanTilt").is_some() && velocity.child("Zoom").is_some();
        let plain = operation.child("Timeout").is_none();
        match self.quirks.wants_all_axes && !(both && plain) {
            true => Err(("ter:InvalidVelocity", "all axes, please")),
            false => Ok(String::new()),
        }
    }

    fn set_preset(&mut self, name: String, token: Option<String>) -> Result<String, Refusal> {
        let token = match token {
            None => {
                let token = format!("preset {}", self.presets.len() + 1);
                self.presets.push((token.clone(), name));
                token
            }
            Some(token) => match self.presets.iter_mut().find(|(known, _)| *known == token) {
                Some(preset) => {
                    preset.1 = name;
                    token
                }
                None => return Err(("ter:NoToken", "cannot have a token when creating")),
            },
        };
        Ok(format!("<tptz:PresetToken xmlns:tptz=\"p\">{}</tptz:PresetToken>", escape(&token)))
    }
}

fn preset((token, name): &(String, String)) -> String {
    format!(
        "<tptz:Preset xmlns:tptz=\"p\" token=\"{}\"><tt:Name>{}</tt:Name></tptz:Preset>",
        escape(token),
        escape(name)
    )
}
