//! The route of calls with a body of their own ([`Run::Upload`]), in front of the one for all others, which
//! reads small forms only. Session, role and parameters are checked before a byte is taken.
//!
//! The call runs in a task of its own, like every call that changes something. Memory: two pieces of the body.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;
use warp::filters::BoxedFilter;
use warp::{Filter, Rejection, reject};

use super::calls::{Admitted, Answer, Answering, Run, Upload};
use super::reply::{self, Reply};
use super::request::{Ask, Incoming};
use super::router::{detached, named};
use super::{Context, audit};
use crate::base::{Error, Result};

/// After a refusal the rest of the body is taken for so long: most clients read no answer before they have
/// sent everything.
const LISTEN: Duration = Duration::from_secs(2);

type Handler = fn(Ask, Upload) -> Answering;

/// See the module.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::path!("api" / "v1" / ..)
        .and(warp::post())
        .and(warp::ext::get::<Incoming>())
        .and_then(async |incoming: Incoming| match named(&incoming.path) {
            Ok(call) if matches!(call.run, Run::Upload(_)) => Ok(incoming),
            _ => Err(reject::not_found()),
        })
        .and(ctx)
        .and(warp::header::optional::<u64>("content-length"))
        .and(warp::header::optional::<String>("content-type"))
        .and(warp::body::stream())
        .then(async |incoming, ctx, length, content_type: Option<String>, body| {
            let (sender, receiver) = mpsc::channel(1);
            let upload = Upload { length, body: pieces(receiver).boxed() };
            let mut pump = pin!(pump(body, sender));
            let mut call = pin!(run(incoming, ctx, upload, content_type.unwrap_or_default()));
            let outcome = tokio::select! {
                outcome = call.as_mut() => {
                    let _ = timeout(LISTEN, pump).await;
                    outcome
                }
                () = pump.as_mut() => call.await,
            };
            outcome.map_or_else(|why| reply::denied(&why), reply::answer)
        })
}

async fn run(
    incoming: Incoming,
    ctx: Arc<Context>,
    upload: Upload,
    content_type: String,
) -> Admitted<Answer> {
    let call = named(&incoming.path)?;
    let (ask, entry) = audit::admit(call, ctx, incoming).await?;
    if content_type.to_ascii_lowercase().contains("multipart") {
        return Err(Error::bad_input("the body must be the bundle itself, not a form").into());
    }
    let handler: Handler = match call.run {
        Run::Upload(handler) => handler,
        _ => return Err(Error::internal(format!("{} takes no body", call.name)).into()),
    };
    Ok(detached(audit::kept(handler(ask, upload), entry)).await?)
}

/// Hands the body on; what nobody wants any more is dropped.
async fn pump(
    body: impl Stream<Item = std::result::Result<impl Buf, warp::Error>>,
    sender: Sender<Option<Result<Bytes>>>,
) {
    let mut body = pin!(body);
    while let Some(piece) = body.next().await {
        let piece = piece.map(|mut piece| piece.copy_to_bytes(piece.remaining())).map_err(|_| broken());
        let is_broken = piece.is_err();
        // Fails when the call has ended before its body.
        let _ = sender.send(Some(piece)).await;
        if is_broken {
            return;
        }
    }
    let _ = sender.send(None).await;
}

/// The body, whose end must be told: a client that is gone takes the sender with it.
fn pieces(receiver: Receiver<Option<Result<Bytes>>>) -> impl Stream<Item = Result<Bytes>> {
    stream::unfold(Some(receiver), async |receiver| {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Some(piece)) => Some((piece, Some(receiver))),
            Some(None) => None,
            None => Some((Err(broken()), None)),
        }
    })
}

fn broken() -> Error {
    Error::bad_input("the upload broke off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_without_its_end_is_broken() {
        let (sender, receiver) = mpsc::channel(4);
        sender.send(Some(Ok(Bytes::from_static(b"ab")))).await.unwrap();
        sender.send(None).await.unwrap();
        let whole: Vec<_> = pieces(receiver).collect().await;
        assert!(matches!(&whole[..], [Ok(piece)] if piece == "ab"));

        let (sender, receiver) = mpsc::channel(4);
        sender.send(Some(Ok(Bytes::from_static(b"ab")))).await.unwrap();
        drop(sender);
        let cut: Vec<_> = pieces(receiver).collect().await;
        assert!(matches!(&cut[..], [Ok(_), Err(_)]));
    }
}
