//! The events of the device: which there are, how they are written, and which of them a filter lets
//! through.

use std::time::SystemTime;

use super::fault::Fault;
use super::names;
use super::write::date_time;
use crate::onvif::events::{CameraEvent, EventKind};
use crate::onvif::xml::{Element, escape};

/// Topic expressions as ONVIF has them: full paths, `//.` for everything below, `|` between several
/// (ONVIF Core 9.7.3).
pub const DIALECT: &str = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";
/// Topic expressions of WS-Topics: one full path.
pub const CONCRETE: &str = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete";

/// What sort of event, by its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    Motion,
    DigitalInput,
    ProfileChanged,
}

impl Topic {
    /// The topic of what a camera reports.
    pub fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::Motion => Self::Motion,
            EventKind::DigitalInput => Self::DigitalInput,
        }
    }

    /// Path in the topic tree, without prefix.
    pub fn path(self) -> &'static str {
        match self {
            Self::Motion => "VideoSource/MotionAlarm",
            Self::DigitalInput => "Device/Trigger/DigitalInput",
            Self::ProfileChanged => "Media/ProfileChanged",
        }
    }

    /// A whole notification. `item` is the source's token, the input's, or the profile's; a state is
    /// told again to who comes later, and then with `Initialized`.
    pub fn notification(self, item: &str, state: bool, first: bool, at: SystemTime) -> String {
        let simple =
            |name: &str, value: &str| format!("<tt:SimpleItem Name=\"{name}\" Value=\"{}\"/>", escape(value));
        let (source, data) = match self {
            Self::Motion => (simple("Source", item), simple("State", bool_text(state))),
            Self::DigitalInput => (simple("InputToken", item), simple("LogicalState", bool_text(state))),
            Self::ProfileChanged => (String::new(), simple("Token", item)),
        };
        let operation = match (self, first) {
            (Self::ProfileChanged, _) => "",
            (_, true) => " PropertyOperation=\"Initialized\"",
            (_, false) => " PropertyOperation=\"Changed\"",
        };
        let source = if source.is_empty() { source } else { format!("<tt:Source>{source}</tt:Source>") };
        format!(
            "<wsnt:NotificationMessage><wsnt:Topic Dialect=\"{DIALECT}\">tns1:{}</wsnt:Topic><wsnt:Message>\
             <tt:Message UtcTime=\"{}\"{operation}>{source}<tt:Data>{data}</tt:Data></tt:Message>\
             </wsnt:Message></wsnt:NotificationMessage>",
            self.path(),
            date_time(at),
        )
    }
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// What a camera's event is about, in our tokens.
pub fn item(source: &str, event: &CameraEvent) -> String {
    let stem = names::stem(source);
    match (event.kind, event.item.as_str()) {
        (EventKind::Motion, _) => format!("vs_{stem}"),
        (EventKind::DigitalInput, "") => format!("di_{stem}"),
        (EventKind::DigitalInput, input) => format!("di_{stem}_{input}"),
    }
}

/// `wstop:TopicSet`, with a description of each message.
pub fn topic_set() -> String {
    let description = |property: bool, source: &str, data: (&str, &str)| {
        let item = |name, kind| format!("<tt:SimpleItemDescription Name=\"{name}\" Type=\"{kind}\"/>");
        let source = match source {
            "" => String::new(),
            name => format!("<tt:Source>{}</tt:Source>", item(name, "tt:ReferenceToken")),
        };
        let data = format!("<tt:Data>{}</tt:Data>", item(data.0, data.1));
        format!("<tt:MessageDescription IsProperty=\"{property}\">{source}{data}</tt:MessageDescription>")
    };
    format!(
        "<wstop:TopicSet><tns1:VideoSource><MotionAlarm wstop:topic=\"true\">{}</MotionAlarm></tns1:VideoSource>\
         <tns1:Device><Trigger><DigitalInput wstop:topic=\"true\">{}</DigitalInput></Trigger></tns1:Device>\
         <tns1:Media><ProfileChanged wstop:topic=\"true\">{}</ProfileChanged></tns1:Media></wstop:TopicSet>",
        description(true, "Source", ("State", "xs:boolean")),
        description(true, "InputToken", ("LogicalState", "xs:boolean")),
        description(false, "", ("Token", "tt:ReferenceToken")),
    )
}

/// Which topics a subscriber wants; without paths, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<String>);

impl Filter {
    /// From the argument `Filter` of CreatePullPointSubscription.
    ///
    /// # Errors
    /// `ter:InvalidFilter` for what we cannot sort by.
    pub fn read(filter: Option<&Element>) -> Result<Self, Fault> {
        let Some(filter) = filter else { return Ok(Self::default()) };
        let refused = |text: &str| Err(Fault::named(&["ter:InvalidArgVal", "ter:InvalidFilter"], text));
        let mut paths = Vec::new();
        for part in &filter.children {
            match (part.name.as_str(), part.attribute("Dialect")) {
                ("TopicExpression", None | Some(DIALECT | CONCRETE)) => {
                    paths.extend(part.text.split('|').map(without_prefixes));
                }
                ("TopicExpression", Some(_)) => return refused("the dialect of the topic is not known"),
                _ => return refused("only topics can be filtered by"),
            }
        }
        Ok(Self(paths))
    }

    pub fn lets(&self, topic: Topic) -> bool {
        let path = topic.path();
        let fits = |wanted: &String| match wanted.strip_suffix("//.") {
            Some(above) => {
                path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            None => path == wanted,
        };
        self.0.is_empty() || self.0.iter().any(fits)
    }
}

/// `tns1:Device/Trigger` and `tns1:Device/tns1:Trigger` mean the same to us, who have one tree.
fn without_prefixes(path: &str) -> String {
    let names: Vec<&str> =
        path.trim().split('/').map(|name| name.rsplit(':').next().unwrap_or(name)).collect();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml;

    fn filter(text: &str) -> Filter {
        let document = format!("<Filter><TopicExpression>{text}</TopicExpression></Filter>");
        Filter::read(Some(&xml::parse(document.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn filters_take_paths_and_trees() {
        assert!(filter("tns1:VideoSource/MotionAlarm").lets(Topic::Motion));
        assert!(!filter("tns1:VideoSource/MotionAlarm").lets(Topic::DigitalInput));
        assert!(filter(" tns1:Device//. | tns1:Media//.").lets(Topic::DigitalInput));
        assert!(filter("tns1:Device/tns1:Trigger//.").lets(Topic::DigitalInput));
        assert!(!filter("tns1:Dev//.").lets(Topic::DigitalInput));
        assert!(Filter::default().lets(Topic::ProfileChanged));
        let other = xml::parse(b"<Filter><MessageContent>x</MessageContent></Filter>").unwrap();
        assert!(Filter::read(Some(&other)).is_err());
    }
}
