//! `h5stateapi`: one page's view of the [`super::Board`].
//!
//! Runs in the socket's task. Memory: the messages of one change beside the shared ones, and the state while it is
//! being sent.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use warp::ws::Message;

use super::change::{Change, Eyes};
use crate::api::Context;
use crate::api::conversation::{self, MAX_MESSAGE, Teller};
use crate::api::events::Reports;
use crate::api::opening::Opening;
use crate::api::reply::Reply;
use crate::api::request::Ask;
use crate::api::system;
use crate::auth::Session;
use crate::base::Result;

/// `h5stateapi`. It ends when its user may see or do other things than when it was opened: the page comes back for
/// what is true then.
pub fn socket(ask: &Ask, opening: Opening) -> Result<Reply> {
    let page = Page::new(&ask.ctx, ask.session.clone());
    let (auth, session) = (ask.ctx.auth.clone(), ask.session.clone());
    let outdated = async move {
        match &session {
            Some(session) => auth.outdated(session).await,
            None => std::future::pending().await,
        }
    };
    let serve = async move |socket| {
        tokio::select! {
            () = conversation::hold(socket, page) => {}
            () = outdated => {}
        }
    };
    Ok(opening.messages(ask, MAX_MESSAGE, serve))
}

struct Page {
    ctx: Arc<Context>,
    session: Option<Session>,
    eyes: Eyes,
    /// `None`: it has to be told everything first.
    changes: Option<Receiver<Arc<Change>>>,
    reports: Reports,
    waiting: VecDeque<Message>,
}

impl Page {
    fn new(ctx: &Arc<Context>, session: Option<Session>) -> Self {
        Self {
            ctx: ctx.clone(),
            eyes: Eyes::of(session.as_ref()),
            changes: None,
            reports: Reports::new(ctx, session.clone()),
            session,
            waiting: VecDeque::new(),
        }
    }
}

impl Teller for Page {
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some(message);
            }
            let Some(changes) = &mut self.changes else {
                let run = system::run_fields(&self.ctx, &system::sample(&self.ctx).await.ok()?);
                let user = self.session.as_ref().map_or("", |session| &session.user);
                let (changes, state) = self.ctx.board.join(&self.ctx, &self.eyes, user, &run);
                self.changes = Some(changes);
                self.waiting.extend(state);
                continue;
            };
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(change) => self.waiting.extend(change.seen_by(&self.eyes)),
                    Err(RecvError::Lagged(_)) => self.changes = None,
                    Err(RecvError::Closed) => return None,
                },
                report = self.reports.next() => return report,
            }
        }
    }

    /// A page that is open uses its session, which has to be alive.
    fn heard(&mut self) -> bool {
        self.session.as_ref().is_none_or(|session| self.ctx.auth.session(&session.id).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::QUEUE;
    use super::super::change::message;
    use super::*;
    use crate::api::tests::Server;

    async fn next(page: &mut Page) -> Value {
        serde_json::from_str(page.next().await.unwrap().to_str().unwrap()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_page_that_lags_is_told_everything_again() {
        let server = Server::start(|_| {}).await;
        let board = &server.ctx.board;
        let mut page = Page::new(&server.ctx, None);
        let state = next(&mut page).await;
        assert_eq!((&state["type"], &state["strUserType"]), (&"H5S_STATE".into(), &"Administrator".into()));
        let told = |number| Arc::new(Change::Run(message("H5S_RUN", "run", &number)));
        for number in 0..QUEUE {
            assert!(board.changes.send(told(number.into())).is_ok());
        }
        assert_eq!(next(&mut page).await["run"], 0);
        for number in 0..QUEUE {
            assert!(board.changes.send(told(number.into())).is_ok());
        }
        assert_eq!(next(&mut page).await["type"], "H5S_STATE");
        // And goes on from there.
        assert!(board.changes.send(told(7.into())).is_ok());
        assert_eq!(next(&mut page).await["run"], 7);
    }
}
