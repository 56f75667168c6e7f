//! WebRTC viewers over WHEP: the tests' client, which keeps nothing here.

use std::time::{Duration, Instant};

use super::{Shared, Target};
use crate::support::{http, stamp::find_stamp};
use crate::webrtc_client::Client;

/// The longest wait for a packet.
const STEP: Duration = Duration::from_millis(100);
/// A viewer that gets nothing for so long has been dropped.
const SILENCE: Duration = Duration::from_secs(5);

/// Watches until it is dropped.
pub async fn watch(target: Target, sampled: bool, shared: Shared) {
    let begun = Instant::now();
    let mut client = Client::udp().await;
    let (offer, pending) = client.offer();
    let path = format!("/whep/{}?session={}", target.token, target.session);
    let headers = [("Content-Type", "application/sdp")];
    let answer = http::request(target.port, "POST", &path, &headers, offer.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    client.accept(pending, &answer.text());
    let mut heard: Option<Instant> = None;
    // RTP time and stamp of the access unit under way: the stamp is at its beginning.
    let mut open = None;
    while heard.is_none_or(|at| at.elapsed() < SILENCE) {
        client.step(STEP).await;
        client.order.clear();
        for (time, last, payload) in std::mem::take(&mut client.packets).into_values() {
            if heard.replace(Instant::now()).is_none() {
                shared.first(begun);
            }
            if sampled && let Some(stamp) = find_stamp(&payload) {
                open = Some((time, stamp));
            }
            if let Some((_, stamp)) = open.take_if(|(begun, _)| last && *begun == time) {
                shared.frame(stamp);
            }
        }
    }
    shared.lost();
}
