//! What cameras reported: as it happens, on sockets (docs/protocol.md 1), and kept, to be searched.
//!
//! One task per socket. Bounded: [`QUEUE`] messages for all sockets together; one that is further
//! behind loses the oldest, and is told how many.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver};
use uuid::Uuid;
use warp::ws::Message;

use super::Context;
use super::calls::Answer;
use super::conversation::{self, MAX_MESSAGE, Teller};
use super::opening::Opening;
use super::reply::Reply;
use super::request::{Ask, no_source};
use super::search::{MOST, after, time};
use crate::auth::Session;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::onvif::events::{CameraEvent, EventKind};
use crate::store::{EventRow, EventSearch};

/// Messages that wait for slow sockets.
const QUEUE: usize = 256;

/// Gives what happens to all sockets that are open.
#[derive(Debug)]
pub struct EventHub(broadcast::Sender<Arc<News>>);

/// A message, whose it is, and of what.
#[derive(Debug)]
pub struct News {
    pub token: String,
    pub event: CameraEvent,
    message: Message,
}

impl Default for EventHub {
    fn default() -> Self {
        Self(broadcast::Sender::new(QUEUE))
    }
}

impl EventHub {
    /// Tells all open sockets.
    pub fn publish(&self, token: &str, event: &CameraEvent, at: Wall) {
        if self.0.receiver_count() > 0 {
            let message = Message::text(message(token, event, at, Uuid::new_v4()).to_string());
            // The last socket may have gone meanwhile.
            let _ = self.0.send(Arc::new(News { token: token.to_owned(), event: event.clone(), message }));
        }
    }

    /// Everything that happens from now on.
    pub fn listen(&self) -> Receiver<Arc<News>> {
        self.0.subscribe()
    }
}

/// `h5seventapi`
pub fn socket(ask: &Ask, opening: Opening) -> Result<Reply> {
    let reports = Reports::new(&ask.ctx, ask.session.clone());
    Ok(opening.messages(ask, MAX_MESSAGE, async move |socket| conversation::hold(socket, reports).await))
}

/// What is told to one socket.
pub struct Reports {
    queue: Receiver<Arc<News>>,
    ctx: Arc<Context>,
    session: Option<Session>,
}

impl Reports {
    pub fn new(ctx: &Arc<Context>, session: Option<Session>) -> Self {
        Self { queue: ctx.events.0.subscribe(), ctx: ctx.clone(), session }
    }

    /// Asked for each message: what a role covers can change while the page is open.
    fn sees(&self, token: &str) -> bool {
        self.session.as_ref().is_none_or(|session| self.ctx.auth.sees(&session.user, token))
    }
}

impl Teller for Reports {
    async fn next(&mut self) -> Option<Message> {
        loop {
            match self.queue.recv().await {
                Ok(news) if self.sees(&news.token) => return Some(news.message.clone()),
                Ok(_) => {}
                Err(RecvError::Lagged(lost)) => return Some(Message::text(lagged(lost))),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn lagged(lost: u64) -> String {
    json!({ "type": "H5S_EVENT_LAGGED", "nLost": lost }).to_string()
}

/// `H5S_EVENT_ALARM_IN` is as pages know it, and comes when an input becomes active; the others are ours.
fn message(token: &str, event: &CameraEvent, at: Wall, id: Uuid) -> Value {
    let (name, part, inside) = match (event.kind, event.active) {
        (EventKind::DigitalInput, true) => ("H5S_EVENT_ALARM_IN", "alarmIn", "strAlarmInId"),
        (EventKind::DigitalInput, false) => ("H5S_EVENT_ALARM_IN_END", "alarmIn", "strAlarmInId"),
        (EventKind::Motion, true) => ("H5S_EVENT_MOTION", "motion", "strMotionId"),
        (EventKind::Motion, false) => ("H5S_EVENT_MOTION_END", "motion", "strMotionId"),
    };
    // Without the zone, as pages have it.
    let mut time = at.iso(Offset::local(at));
    time.truncate("2019-05-02T08:56:28".len());
    json!({
        "type": name,
        "strDevToken": token,
        "strUUID": id.to_string(),
        "strTime": time,
        part: { inside: event.item },
    })
}

/// `SearchEvents`
pub async fn search(ask: Ask) -> Result<Answer> {
    let zone = TimeZone::system();
    let (from, offset) = time(&ask, "start", &zone)?;
    let (to, _) = time(&ask, "end", &zone)?;
    if to < from {
        return Err(Error::bad_input("parameter end: it lies before start"));
    }
    let source = ask.require("token")?.to_owned();
    let here = ask.ctx.sources.get(&source).is_some();
    let search = EventSearch {
        from,
        to,
        kind: ask.get("type").map(str::to_owned),
        after: ask.get("next").map(after).transpose()?,
        limit: ask.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(MOST as usize),
        source,
    };
    let limit = search.limit;
    let found = ask.ctx.store.run(move |store| {
        if !here && !store.has_events(&search.source)? {
            return Err(no_source(&search.source));
        }
        // One more than wanted tells whether there are more.
        store.find_events(&EventSearch { limit: limit + 1, ..search })
    });
    let mut found = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let shown = |at: Wall| at.iso(offset.unwrap_or_else(|| Offset::local(at)));
    let mut answer = json!({
        "event": found.iter().map(|event| item(event, &shown)).collect::<Vec<_>>(),
        "bMore": more,
    });
    if let (true, Some(last)) = (more, found.last()) {
        answer["strNext"] = format!("{}.{}", last.at.0, last.id).into();
    }
    Ok(Answer::Json(answer))
}

fn item(event: &EventRow, shown: &impl Fn(Wall) -> String) -> Value {
    json!({
        "strToken": event.source,
        "strTime": shown(event.at),
        "strType": event.kind,
        "strItem": event.item,
        "bActive": event.active,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, active: bool) -> CameraEvent {
        CameraEvent { kind, item: "DI_1".into(), active }
    }

    #[test]
    fn messages_as_pages_know_them() {
        let at = Wall(1_556_787_388_000);
        let shown = |kind, active| message("cam", &event(kind, active), at, Uuid::nil());
        let alarm = shown(EventKind::DigitalInput, true);
        let mut time = at.iso(Offset::local(at));
        time.truncate(19);
        let expected = json!({
            "type": "H5S_EVENT_ALARM_IN",
            "strDevToken": "cam",
            "strUUID": "00000000-0000-0000-0000-000000000000",
            "strTime": time,
            "alarmIn": { "strAlarmInId": "DI_1" },
        });
        assert_eq!(alarm.to_string(), expected.to_string());
        assert_eq!(shown(EventKind::DigitalInput, false)["type"], "H5S_EVENT_ALARM_IN_END");
        assert_eq!(shown(EventKind::Motion, true)["motion"], json!({ "strMotionId": "DI_1" }));
        assert_eq!(shown(EventKind::Motion, false)["type"], "H5S_EVENT_MOTION_END");
    }

    #[tokio::test]
    async fn a_socket_that_lags_loses_the_oldest_and_can_tell() {
        let hub = EventHub::default();
        hub.publish("cam", &event(EventKind::Motion, true), Wall(0));
        let mut queue = hub.0.subscribe();
        for _ in 0..QUEUE + 3 {
            hub.publish("cam", &event(EventKind::Motion, true), Wall(0));
        }
        assert!(matches!(queue.recv().await, Err(RecvError::Lagged(3))));
        assert!(queue.recv().await.unwrap().message.to_str().unwrap().contains("H5S_EVENT_MOTION"));
        assert_eq!(lagged(3), r#"{"type":"H5S_EVENT_LAGGED","nLost":3}"#);
    }
}
