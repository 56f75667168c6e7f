//! Somebody who watches a camera for a whole test, and comes again whenever the stream ends; and whether those who watch
//! another site at the same central notice anything.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::net::{NEAR, Net};
use crate::support::{scene, wait_for};
use crate::user::User;

/// What a picture may take longer through the central than at the box: a machine that has much to do is slow at both.
const LONGER: Duration = Duration::from_secs(3);

/// Ends with its thread when it is dropped.
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    user: Arc<Mutex<User>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    /// When messages with pictures came.
    frames: Vec<Instant>,
    /// How often the stream was opened.
    sessions: usize,
    /// Why the central closed them.
    farewells: Vec<String>,
}

impl Watch {
    /// Returns once pictures come. The thread stays on the host where this is called.
    pub fn start(user: &User, mapped: &'static str) -> Self {
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), Arc::new(AtomicBool::new(false)));
        let user = Arc::new(Mutex::new(user.clone()));
        let thread = {
            let (seen, stop, user) = (seen.clone(), stop.clone(), user.clone());
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let work = async {
                    while !stop.load(Ordering::Relaxed) {
                        one(&user, mapped, &seen, &stop).await;
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                };
                runtime.expect("a runtime").block_on(work);
            })
        };
        let watch = Self { seen, stop, user, thread: Some(thread) };
        wait_for("the first pictures", scene::PATIENCE, || (watch.count() > 10).then_some(()));
        watch
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().frames.len()
    }

    /// How often the stream was opened.
    pub fn sessions(&self) -> usize {
        self.seen.lock().unwrap().sessions
    }

    /// What the central said when it closed a stream, if it was about this.
    pub fn told_of(&self, what: &str) -> Option<String> {
        self.seen.lock().unwrap().farewells.iter().find(|text| text.contains(what)).cloned()
    }

    /// Waits for a picture that comes after `begin`; how long after.
    pub fn next_after(&self, begin: Instant, what: &str) -> Duration {
        let at = wait_for(what, Duration::from_secs(60), || {
            self.seen.lock().unwrap().frames.iter().copied().find(|&at| at > begin)
        });
        at - begin
    }

    /// The longest time without a picture since `begin`.
    pub fn longest_gap(&self, begin: Instant) -> Duration {
        let seen = self.seen.lock().unwrap();
        let frames = seen.frames.iter().copied().filter(|&at| at > begin);
        let times: Vec<_> = [begin].into_iter().chain(frames).chain([Instant::now()]).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// Goes on with another session.
    pub fn as_user(&self, user: &User) {
        *self.user.lock().unwrap() = user.clone();
    }
}

/// Who watches another site at the central; and at that box itself, as the measure of what has nothing to do with the
/// central.
pub struct Other {
    here: Watch,
    at_box: Watch,
    begin: Instant,
    since: String,
}

impl Other {
    pub fn of(net: &Net) -> Self {
        let place = ([127, 0, 0, 1], net.near.https).into();
        let at_box = net.lab.enter("near", || Watch::start(&User::new(place, &net.near.pin()), "cam1"));
        Self { here: net.watch(NEAR), at_box, begin: Instant::now(), since: net.since("near") }
    }

    /// Its session went on all the time, and so did its box's connection.
    pub fn is_undisturbed(&self, net: &Net) {
        let [here, there] = [&self.here, &self.at_box].map(|watch| watch.longest_gap(self.begin));
        let [sessions, others] = [&self.here, &self.at_box].map(Watch::sessions);
        eprintln!(
            "who watches the other site for {:.0?} waits {here:.1?} at most for a picture, {there:.1?} at the box itself",
            self.begin.elapsed()
        );
        assert!(sessions == 1 || others > 1, "the other site's stream broke off");
        assert!(here < there + LONGER, "the other site's picture stood still for {here:?}");
        assert_eq!(net.since("near"), self.since, "the other box was connected anew");
    }

    /// The one at the central.
    pub fn here(&self) -> &Watch {
        &self.here
    }
}

/// One stream to its end.
async fn one(user: &Mutex<User>, mapped: &str, seen: &Mutex<Seen>, stop: &AtomicBool) {
    let user = user.lock().unwrap().clone();
    // A central that is away may not even refuse.
    let opened = tokio::time::timeout(Duration::from_secs(3), user.watch(mapped)).await;
    let Ok(Ok(mut viewer)) = opened else { return };
    seen.lock().unwrap().sessions += 1;
    while !viewer.closed && !stop.load(Ordering::Relaxed) {
        let come = viewer.next(Duration::from_millis(500)).await;
        // Its name and its head come before frames.
        if let Some(got) = come.filter(|got| got.message.is_binary() && got.message.len() > 1000) {
            seen.lock().unwrap().frames.push(got.at);
        }
        if viewer.received.len() > 8 {
            viewer.received.clear();
        }
    }
    if let Some((_, text)) = viewer.farewell.take() {
        seen.lock().unwrap().farewells.push(text);
    }
    viewer.leave().await;
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
