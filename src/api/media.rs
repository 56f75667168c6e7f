//! Where sockets and pictures are plugged in: looks up the stream and hands over to `play` and
//! `snapshot`.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use warp::ws::WebSocket;

use super::Context;
use super::calls::Answer;
use super::opening::Opening;
use super::playback;
use super::reply::Reply;
use super::request::Ask;
use super::snapshots::width;
use crate::base::Result;
use crate::media::stream::{Status, Stream};
use crate::play::webrtc::MAX_SIGNAL_MESSAGE;
use crate::snapshot::Placeholder;

/// `h5swsapi`: live fMP4, or a recording.
pub fn ws(ask: &Ask, opening: Opening) -> Result<Reply> {
    if playback::is_wanted(ask) {
        return playback::ws(ask, opening);
    }
    let (stream, ctx) = (ask.shown()?, ask.ctx.clone());
    opening.media(ask, async move |socket| ctx.ws.serve(socket, stream).await)
}

/// `h5srtcapi`: signalling of a WebRTC viewer, live or of a recording.
pub fn rtc(ask: &Ask, opening: Opening) -> Result<Reply> {
    if playback::is_wanted(ask) {
        return playback::rtc(ask, opening);
    }
    let (stream, rtc, peer) = (ask.shown()?, ask.ctx.rtc.clone(), ask.incoming.peer);
    Ok(opening.messages(ask, MAX_SIGNAL_MESSAGE, async move |socket| rtc.signal(socket, stream, peer).await))
}

/// `h5swscmnapi`: holds an on-demand source open for as long as the page stays.
pub fn keep_up(ask: &Ask, opening: Opening) -> Result<Reply> {
    let viewing = ask.shown()?.view();
    Ok(opening.messages(ask, MAX_MESSAGE, async move |socket| {
        listen(socket).await;
        drop(viewing);
    }))
}

/// Browsers slow the timers of hidden pages down to one per minute.
const SILENCE: Duration = Duration::from_secs(120);
/// Largest message of a page: its keepalives and commands are short.
const MAX_MESSAGE: usize = 4096;

/// Reads until the page leaves, or says nothing for as long as no living page would.
async fn listen(mut socket: WebSocket) {
    while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE, socket.next()).await {
        if message.is_close() {
            break;
        }
    }
    // The page may be gone already.
    let _ = socket.close().await;
}

/// `GetImage`: always a picture, as a poster that fails leaves a black tile.
pub async fn image(ask: Ask) -> Result<Answer> {
    let stream = ask.shown()?;
    Ok(Answer::Jpeg(picture(&ask.ctx, &stream, width(&ask)).await))
}

/// The last picture of a stream as JPEG, or one that says why there is none.
pub async fn picture(ctx: &Context, stream: &Stream, width: Option<u32>) -> Bytes {
    let Some(picture) = stream.hub.picture() else {
        return placeholder(&stream.status()).jpeg();
    };
    match ctx.snapshots.jpeg(&stream.token, &picture, width).await {
        Ok(jpeg) => jpeg.bytes,
        Err(error) => {
            tracing::warn!(source = %stream.token, "no picture: {error}");
            placeholder(&stream.status()).jpeg()
        }
    }
}

fn placeholder(status: &Status) -> Placeholder {
    match status {
        Status::Offline { .. } => Placeholder::Offline,
        Status::Idle | Status::Connecting | Status::Online => Placeholder::Loading,
    }
}

/// `GetLoadingImage`
pub async fn loading_image(_: Ask) -> Result<Answer> {
    Ok(Answer::Jpeg(Placeholder::Loading.jpeg()))
}
