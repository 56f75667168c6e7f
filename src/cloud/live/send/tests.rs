use bytes::Bytes;
use tokio::io::{AsyncWriteExt, duplex, split};
use tokio::time::timeout;

use super::*;
use crate::base::time::MonoTime;
use crate::cloud::live::record::read;
use crate::media::hub::{DEFAULT_KEEP, Hub};
use crate::media::params::Params;
use crate::media::stream::{OfflineReason, Status};

fn stream(token: &str) -> Arc<Stream> {
    Stream::new(token, Hub::new(1 << 20, DEFAULT_KEEP))
}

/// Has it deliver 25 frames a second, with a key frame every other second.
fn deliver(stream: Arc<Stream>) {
    stream.hub.begin(Params::bare());
    tokio::spawn(async move {
        for number in 0.. {
            let [dts, duration] = [number * 3600, 3600].map(MediaTime);
            stream.hub.push(Frame {
                track: Track::Video,
                dts,
                pts: dts,
                duration,
                key: number % 50 == 0,
                data: Bytes::from_static(&[0; 100]),
                arrived: MonoTime::default(),
            });
            sleep(Duration::from_millis(40)).await;
        }
    });
}

#[tokio::test(start_paused = true)]
async fn where_the_small_picture_does_not_come_a_thin_link_carries_key_frames() {
    let (full, small) = (stream("cam1"), stream("cam1$$sub"));
    deliver(full.clone());
    small.set_status(Status::Offline { reason: OfflineReason::Refused, text: "refused".into() });
    let (near, far) = duplex(64 << 10);
    tokio::spawn(send(near, full, Some(small)));
    let (mut from, mut to) = split(far);
    let (mut level, mut keys) = (Level::Full, 0);
    let all = async {
        while keys < 3 {
            match read(&mut from, MonoTime::default).await {
                Ok(Some(Record::Level(now))) => level = now,
                Ok(Some(Record::Frame(frame))) => {
                    // A fifth of the whole is what the link carries.
                    sleep(Duration::from_millis(200)).await;
                    assert!(level < Level::Keys || frame.key);
                    keys += usize::from(level == Level::Keys);
                    to.write_all(&[ACK]).await.unwrap();
                }
                Ok(Some(Record::Ended(text))) => panic!("{text}"),
                Ok(None) => panic!("it has ended"),
                // Parameters without a configuration cannot be read.
                Ok(Some(Record::Params(_) | Record::Text(_))) | Err(_) => {}
            }
        }
    };
    timeout(Duration::from_secs(60), all).await.expect("key frames");
}
