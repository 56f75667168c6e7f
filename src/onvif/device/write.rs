//! How answers are written: one envelope with all prefixes, and the small pieces that are everywhere.

use std::fmt::Display;
use std::time::SystemTime;

use crate::onvif::Service;
use crate::onvif::xml::{Element, escape};

/// WS-BaseNotification 1.3.
pub const WSNT: &str = "http://docs.oasis-open.org/wsn/b-2";
/// WS-Addressing 1.0.
const WSA: &str = "http://www.w3.org/2005/08/addressing";

/// The prefix that answers give a service.
pub fn prefix(service: Service) -> &'static str {
    match service {
        Service::Device => "tds",
        Service::Media => "trt",
        Service::Media2 => "tr2",
        Service::Ptz => "tptz",
        Service::Imaging => "timg",
        Service::Events => "tev",
        Service::DeviceIo => "tmd",
        Service::Recording => "trc",
        Service::Search => "tse",
        Service::Replay => "trp",
    }
}

/// An envelope around `<operation>Response` with `inside` in it. A request with WS-Addressing gets
/// an answer with it.
pub fn envelope(namespace: &str, operation: &str, header: Option<&Element>, inside: &str) -> String {
    let prefix = Service::of(namespace).map_or("wsnt", prefix);
    let content = format!("<{prefix}:{operation}Response>{inside}</{prefix}:{operation}Response>");
    let message = header.and_then(|header| header.text_at(&["MessageID"]));
    let Some(message) = message else { return body(&content) };
    let header = format!(
        "<s:Header><wsa:RelatesTo>{}</wsa:RelatesTo><wsa:Action>{}</wsa:Action></s:Header>",
        escape(message),
        action(namespace, operation),
    );
    wrap(&header, &content)
}

/// An envelope around any content of the body.
pub fn body(content: &str) -> String {
    wrap("", content)
}

fn wrap(header: &str, content: &str) -> String {
    let mut text = String::with_capacity(2048 + content.len());
    text.push_str(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\" xmlns:ter=\"http://www.onvif.org/ver10/error\" \
         xmlns:tns1=\"http://www.onvif.org/ver10/topics\" xmlns:wstop=\"http://docs.oasis-open.org/wsn/t-1\"",
    );
    let services = Service::ALL.map(|service| (prefix(service), service.namespace()));
    for (prefix, namespace) in services.into_iter().chain([("wsnt", WSNT), ("wsa", WSA)]) {
        text.push_str(&format!(" xmlns:{prefix}=\"{namespace}\""));
    }
    text.push('>');
    text.push_str(header);
    text.push_str("<s:Body>");
    text.push_str(content);
    text.push_str("</s:Body></s:Envelope>");
    text
}

/// The action of an answer, as the WSDLs have it.
fn action(namespace: &str, operation: &str) -> String {
    match (namespace, operation) {
        (WSNT, _) => {
            let port = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager";
            format!("{port}/{}Response", escape(operation))
        }
        (_, "PullMessages" | "SetSynchronizationPoint")
            if Service::of(namespace) == Some(Service::Events) =>
        {
            format!("{namespace}/PullPointSubscription/{operation}Response")
        }
        _ if Service::of(namespace) == Some(Service::Events) => {
            format!("{namespace}/EventPortType/{}Response", escape(operation))
        }
        _ => format!("{namespace}/{}Response", escape(operation)),
    }
}

/// `<name>text</name>`, with the text escaped.
pub fn tag(name: &str, text: impl Display) -> String {
    format!("<{name}>{}</{name}>", escape(&text.to_string()))
}

/// `xs:dateTime` in UTC, to the millisecond.
pub fn date_time(time: SystemTime) -> String {
    let stamp = jiff::Timestamp::try_from(time).unwrap_or_default();
    stamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
