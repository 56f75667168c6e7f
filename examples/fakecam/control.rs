//! The control port: plain HTTP GET, JSON answers. Every call takes `cam`, a number or `all`.
//!
//! | call | does |
//! |---|---|
//! | `/stats` | per camera: RTSP sessions, frames sent, how often its pipeline was made (no `cam`) |
//! | `/stall?cam=&seconds=` | keeps connections, sends nothing, goes on with a key frame |
//! | `/drop?cam=` | closes its clients' connections |
//! | `/restart?cam=&down=` | the same, and is unknown for `down` seconds; with `all` the port is closed too |
//! | `/jump?cam=&ms=` | RTP time stamps jump by ±`ms` |
//! | `/noparams?cam=[&gops=1]` | sends the next key frame(s) without SPS and PPS (and VPS) |
//! | `/resize?cam=&size=WxH` | goes on at another size from the next key frame |
//!
//! A refused call answers 400 and `{"error": …}`.

use std::{
    collections::HashMap,
    ops::Range,
    str::FromStr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use h5edge::base::{Error, Result};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use warp::{Filter, http::StatusCode};

use crate::{
    clip::{Clip, VideoSpec},
    server::Server,
};

/// Serves the control port for ever.
pub async fn serve(listener: TcpListener, server: Arc<Server>) {
    let calls = warp::path::param().and(warp::path::end()).and(warp::query()).then(
        move |call: String, query: HashMap<String, String>| {
            let server = Arc::clone(&server);
            async move {
                let (status, body) = match run(&server, &call, &Query(query)).await {
                    Ok(body) => (StatusCode::OK, body),
                    Err(error) => (StatusCode::BAD_REQUEST, json!({"error": error.to_string()})),
                };
                warp::reply::with_status(warp::reply::json(&body), status)
            }
        },
    );
    warp::serve(calls).incoming(listener).run().await;
}

async fn run(server: &Arc<Server>, call: &str, query: &Query) -> Result<Value> {
    if call == "stats" {
        return Ok(stats(server));
    }
    let cams = query.cams(server.cameras())?;
    match call {
        "stall" => {
            let until = Instant::now() + query.seconds("seconds")?;
            cams.for_each(|cam| server.camera(cam).stall(until));
        }
        "drop" => server.disconnect(cams),
        "restart" => restart(server, cams, query.seconds("down")?, query.get::<String>("cam")? == "all"),
        "jump" => {
            let ms: i64 = query.get("ms")?;
            cams.for_each(|cam| server.camera(cam).jump(ms));
        }
        "noparams" => {
            let gops = if query.0.contains_key("gops") { query.get("gops")? } else { 1 };
            cams.for_each(|cam| server.camera(cam).bare_gops.store(gops, Relaxed));
        }
        "resize" => resize(server, cams, query.get("size")?).await?,
        _ => return Err(Error::not_found(format!("no call {call:?}"))),
    }
    Ok(json!({"ok": true}))
}

fn stats(server: &Server) -> Value {
    let camera = |index| {
        let camera = server.camera(index);
        json!({
            "path": camera.path,
            "sessions": server.sessions(index),
            "frames": camera.frames.load(Relaxed),
            "starts": camera.starts.load(Relaxed),
        })
    };
    json!({"cams": (0..server.cameras()).map(camera).collect::<Vec<_>>()})
}

/// Returns at once; the cameras come back by themselves.
fn restart(server: &Arc<Server>, cams: Range<usize>, down: Duration, port: bool) {
    if port {
        server.hang_up();
    }
    server.unmount(cams.clone());
    server.disconnect(cams.clone());
    let server = Arc::clone(server);
    tokio::spawn(async move {
        tokio::time::sleep(down).await;
        server.mount(cams);
        if let Err(error) = if port { server.listen() } else { Ok(()) } {
            eprintln!("restart: {error}");
        }
    });
}

/// Answers when the new clip is ready; the camera shows it from its next key frame on.
async fn resize(server: &Server, cams: Range<usize>, size: crate::picture::Size) -> Result<()> {
    for cam in cams {
        let camera = server.camera(cam);
        let spec = VideoSpec { size, ..camera.video().0 };
        let encoded = tokio::task::spawn_blocking(move || Clip::video(&spec)).await;
        camera.show(spec, encoded.map_err(|_| Error::internal("encoding failed"))??);
    }
    Ok(())
}

/// The parameters of a call.
struct Query(HashMap<String, String>);

impl Query {
    fn get<T: FromStr>(&self, name: &str) -> Result<T> {
        let text = self.0.get(name).ok_or_else(|| Error::bad_input(format!("{name} is missing")))?;
        text.parse().map_err(|_| Error::bad_input(format!("{name}: {text:?} is not understood")))
    }

    fn seconds(&self, name: &str) -> Result<Duration> {
        Duration::try_from_secs_f64(self.get(name)?).map_err(|e| Error::bad_input(format!("{name}: {e}")))
    }

    fn cams(&self, count: usize) -> Result<Range<usize>> {
        if self.0.get("cam").is_some_and(|cam| cam == "all") {
            return Ok(0..count);
        }
        let cam: usize = self.get("cam")?;
        if cam < count { Ok(cam..cam + 1) } else { Err(Error::bad_input(format!("cam: there are {count}"))) }
    }
}
