//! Notifications as cameras write them: topics in several dialects, values under several names.

use super::{CameraEvent, EventKind};
use crate::onvif::xml::Element;

/// One notification that says something about motion or an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where it comes from: the same topic about the same thing. Kept apart from [`CameraEvent::item`],
    /// since several topics tell of the same motion.
    pub topic: String,
    pub event: CameraEvent,
}

/// Names under which the state itself is found, the telling ones first.
const STATES: [&str; 5] = ["IsMotion", "LogicalState", "State", "IsInside", "Value"];
/// Names under which the thing is found that the state belongs to, the telling ones first.
const ITEMS: [&str; 8] = [
    "InputToken",
    "Rule",
    "VideoSourceConfigurationToken",
    "VideoSourceToken",
    "VideoSource",
    "Source",
    "AnalyticsConfigurationToken",
    "VideoAnalyticsConfigurationToken",
];
/// Parts of topics that mean motion, in lower case. The rules of `MyRuleDetector` are persons, vehicles and
/// animals that moved.
const MOTION: [&str; 4] = ["motion", "fielddetector", "myruledetector", "linedetector"];

/// All notices in an answer to `PullMessages`, in the camera's order; other notifications are left out.
pub fn read(answer: &Element) -> Vec<Notice> {
    answer.all("NotificationMessage").filter_map(notice).collect()
}

fn notice(notification: &Element) -> Option<Notice> {
    let topic = notification.text_at(&["Topic"]).map(plain_topic).unwrap_or_default();
    // `Message` lies in a `Message`; some leave one out.
    let message = notification.child("Message")?;
    let message = message.child("Message").unwrap_or(message);
    let data = items(message, "Data");
    let state = STATES.iter().find_map(|name| value(&data, name));
    let kind = kind(&topic, &data)?;
    // `Initialized` says how things stand, `Changed` how they stand now: `states` knows what of that is new.
    let active = match message.attribute("PropertyOperation") {
        Some("Deleted") => false,
        _ => flag(state?)?,
    };
    let mut sources = items(message, "Source");
    sources.extend(items(message, "Key"));
    let item =
        ITEMS.iter().find_map(|name| value(&sources, name)).or(sources.first().map(|(_, value)| *value));
    let event = CameraEvent { kind, item: item.unwrap_or_default().to_owned(), active };
    Some(Notice { topic, event })
}

/// What it is about: the topic says so, or the name of its value.
fn kind(topic: &str, data: &[(&str, &str)]) -> Option<EventKind> {
    let topic = topic.to_ascii_lowercase();
    if topic.contains("digitalinput") {
        return Some(EventKind::DigitalInput);
    }
    let motion = MOTION.iter().any(|part| topic.contains(part)) || value(data, "IsMotion").is_some();
    motion.then_some(EventKind::Motion)
}

/// `tns1:VideoSource/tns1:MotionAlarm` without prefixes and blanks.
fn plain_topic(topic: &str) -> String {
    let parts = topic.split('/').map(|part| part.rsplit(':').next().unwrap_or(part).trim());
    parts.collect::<Vec<_>>().join("/")
}

/// Names and values of the simple items in `part`.
fn items<'a>(message: &'a Element, part: &str) -> Vec<(&'a str, &'a str)> {
    let part = message.child(part);
    let items = part.iter().flat_map(|part| part.children.iter()).filter(|item| item.name == "SimpleItem");
    items.filter_map(|item| Some((item.attribute("Name")?, item.attribute("Value")?))).collect()
}

fn value<'a>(items: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    items.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

/// `xs:boolean`, and what relays say.
fn flag(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "active" | "on" => Some(true),
        "false" | "0" | "inactive" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml::parse;

    fn read_one(topic: &str, operation: &str, source: (&str, &str), data: (&str, &str)) -> Option<Notice> {
        let text = format!(
            r#"<PullMessagesResponse><NotificationMessage><Topic Dialect="d">{topic}</Topic><Message>
               <Message UtcTime="2026-01-01T00:00:00Z" {operation}>
               <Source><SimpleItem Name="{}" Value="{}"/></Source>
               <Data><SimpleItem Name="Seq" Value="7"/><SimpleItem Name="{}" Value="{}"/></Data>
               </Message></Message></NotificationMessage></PullMessagesResponse>"#,
            source.0, source.1, data.0, data.1
        );
        let mut notices = read(&parse(text.as_bytes()).unwrap());
        assert!(notices.len() <= 1);
        notices.pop()
    }

    #[test]
    fn motion_as_cameras_call_it() {
        for (topic, source, state) in [
            ("tns1:VideoSource/MotionAlarm", "Source", "State"),
            ("tns1:VideoSource/tns1:MotionAlarm", "VideoSourceToken", "IsMotion"),
            (" tns1:RuleEngine/CellMotionDetector/Motion\n", "Rule", "IsMotion"),
            ("tns1:RuleEngine/MotionRegionDetector/Motion", "VideoSourceConfigurationToken", "State"),
            ("tns1:RuleEngine/FieldDetector/ObjectsInside", "Rule", "IsInside"),
            ("tns1:RuleEngine/MyRuleDetector/PeopleDetect", "Source", "State"),
            ("tnsvendor:Own/Thing", "Source", "IsMotion"),
        ] {
            let notice = read_one(topic, r#"PropertyOperation="Changed""#, (source, "V 1"), (state, "true"));
            let notice = notice.unwrap_or_else(|| panic!("{topic}"));
            assert_eq!(
                notice.event,
                CameraEvent { kind: EventKind::Motion, item: "V 1".into(), active: true }
            );
            assert!(!notice.topic.contains(':'), "{notice:?}");
        }
    }

    #[test]
    fn inputs_and_operations() {
        let input = |operation, state| {
            read_one(
                "tns1:Device/Trigger/DigitalInput",
                operation,
                ("InputToken", "DI_1"),
                ("LogicalState", state),
            )
        };
        let event = |active| CameraEvent { kind: EventKind::DigitalInput, item: "DI_1".into(), active };
        assert_eq!(input(r#"PropertyOperation="Initialized""#, "false").unwrap().event, event(false));
        assert_eq!(input("", "1").unwrap().event, event(true));
        assert_eq!(input(r#"PropertyOperation="Deleted""#, "true").unwrap().event, event(false));
        assert_eq!(input("", "maybe"), None);
    }

    #[test]
    fn everything_else_is_left_out() {
        for (topic, state) in [
            ("tns1:Device/Trigger/Relay", "LogicalState"),
            ("tns1:Monitoring/ProcessorUsage", "Value"),
            ("tns1:RuleEngine/FieldDetector/ObjectsInside", "ObjectId"),
            ("", "State"),
        ] {
            assert_eq!(read_one(topic, "", ("Token", "x"), (state, "true")), None, "{topic}");
        }
        let odd = "<r><NotificationMessage/><NotificationMessage><Topic>a/MotionAlarm</Topic><Message/>\
                   </NotificationMessage></r>";
        assert_eq!(read(&parse(odd.as_bytes()).unwrap()), []);
    }

    #[test]
    fn a_message_without_its_wrapping_is_read_too() {
        let text = r#"<r><NotificationMessage><Topic>tns1:VideoSource/MotionAlarm</Topic>
            <Message><Data><SimpleItem Name="State" Value="True"/></Data></Message></NotificationMessage></r>"#;
        let notices = read(&parse(text.as_bytes()).unwrap());
        assert_eq!(
            notices[0].event,
            CameraEvent { kind: EventKind::Motion, item: String::new(), active: true }
        );
    }
}
