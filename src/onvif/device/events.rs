//! The Event service: pull points (ONVIF Core 9.2). A pull point's address is the service's with its
//! name behind.

use std::time::{Duration, SystemTime};

use super::fault::Fault;
use super::ptz::duration;
use super::site::Site;
use super::subscriptions::{DEFAULT_LIFETIME, Subscription};
use super::topics::{self, Filter};
use super::write::{date_time, tag};
use super::{Answer, Ask, capabilities, path};
use crate::onvif::Service;

/// Longest wait for events in one request.
const LONGEST_PULL: Duration = Duration::from_secs(60);
/// Most events in one answer.
const MAX_MESSAGES: usize = 100;

/// One of the service's operations.
pub async fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    match name {
        "GetServiceCapabilities" => Ok(capabilities::events()),
        "GetEventProperties" => Ok(properties()),
        "CreatePullPointSubscription" => create(ask),
        "PullMessages" => pull(ask).await,
        "Renew" => {
            let lifetime = lifetime(ask.get(&["TerminationTime"]))?;
            let lasts = pull_point(ask)?.renew(lifetime);
            let now = SystemTime::now();
            Ok(tag("wsnt:TerminationTime", date_time(now + lasts)) + &tag("wsnt:CurrentTime", date_time(now)))
        }
        "Unsubscribe" => {
            ask.device.subscriptions.close(pull_point_name(ask)?)?;
            Ok(String::new())
        }
        "SetSynchronizationPoint" => {
            let subscription = pull_point(ask)?;
            ask.device.subscriptions.repeat(&subscription).await;
            Ok(String::new())
        }
        _ => Err(Fault::unknown(name)),
    }
}

fn properties() -> String {
    format!(
        "<tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>\
         <wsnt:FixedTopicSet>true</wsnt:FixedTopicSet>{}\
         <wsnt:TopicExpressionDialect>{}</wsnt:TopicExpressionDialect>\
         <wsnt:TopicExpressionDialect>{}</wsnt:TopicExpressionDialect>\
         <tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter\
         </tev:MessageContentFilterDialect>\
         <tev:MessageContentSchemaLocation>http://www.onvif.org/onvif/ver10/schema/onvif.xsd\
         </tev:MessageContentSchemaLocation>",
        topics::topic_set(),
        topics::DIALECT,
        topics::CONCRETE,
    )
}

fn create<S: Site>(ask: &Ask<'_, S>) -> Answer {
    let filter = Filter::read(ask.arguments.child("Filter"))?;
    let lifetime = lifetime(ask.get(&["InitialTerminationTime"]))?;
    let (name, lasts) = ask.device.subscriptions.open(filter, lifetime)?;
    let now = SystemTime::now();
    let address = tag("wsa:Address", format!("{}/{name}", ask.address(Service::Events)));
    Ok(format!("<tev:SubscriptionReference>{address}</tev:SubscriptionReference>")
        + &tag("wsnt:CurrentTime", date_time(now))
        + &tag("wsnt:TerminationTime", date_time(now + lasts)))
}

async fn pull<S: Site>(ask: &Ask<'_, S>) -> Answer {
    let patience = duration(ask.require(&["Timeout"])?)?.min(LONGEST_PULL);
    let limit = ask.require(&["MessageLimit"])?.parse::<usize>();
    let limit = limit.map_err(|_| Fault::argument("MessageLimit is no whole number"))?.clamp(1, MAX_MESSAGES);
    let subscription = pull_point(ask)?;
    let events = subscription.pull(patience, limit).await;
    let now = SystemTime::now();
    Ok(tag("tev:CurrentTime", date_time(now))
        + &tag("tev:TerminationTime", date_time(now + subscription.left()))
        + &events.concat())
}

/// The pull point that the request went to.
fn pull_point<S: Site>(ask: &Ask<'_, S>) -> Result<std::sync::Arc<Subscription>, Fault> {
    ask.device.subscriptions.get(pull_point_name(ask)?)
}

fn pull_point_name<'a, S: Site>(ask: &Ask<'a, S>) -> Result<&'a str, Fault> {
    let behind = ask.request.path.strip_prefix(path(Service::Events));
    behind
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or_else(|| Fault::argument("this must be sent to the address of a subscription"))
}

/// How long from now: a duration or a moment (`wsnt:AbsoluteOrRelativeTimeType`).
fn lifetime(text: Option<&str>) -> Result<Duration, Fault> {
    let Some(text) = text else { return Ok(DEFAULT_LIFETIME) };
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        let left = SystemTime::from(moment).duration_since(SystemTime::now());
        return left.map_err(|_| {
            Fault::named(&["ter:InvalidArgVal", "ter:UnacceptableTerminationTime"], "the time has passed")
        });
    }
    duration(text)
}
