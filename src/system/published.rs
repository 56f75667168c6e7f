//! Whether the box is known on the LAN by its own name. While systemd-resolved probes, it can take records of
//! its own for somebody else's, and then publishes `gate5` for `gate` until it is restarted (257 logs a
//! conflict on the box's own address; reported of later versions too). What makes it probe is a start, a
//! new name, or a new address: after each of these it is asked for a while, and restarted when it has strayed.
//! A name that another host really has is left as it was chosen after [`RESTARTS`].
//!
//! Runs on the helper's one thread.

use std::time::Duration;

use super::render::names;
use super::root::{RUN, Root};
use super::units::PATIENCE;
use crate::base::time::{Clock, MonoTime};
use crate::base::{Error, Result};

/// Probing and announcing are over by then (RFC 6762, 8: under 3 s), on a slow box and after addresses came.
const WATCH: Duration = Duration::from_secs(25);
const LOOK_EVERY: Duration = Duration::from_secs(4);
const RESTARTS: u32 = 3;

/// See the module.
#[derive(Debug)]
pub struct Published {
    clock: Clock,
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Watch {
    until: MonoTime,
    next: MonoTime,
    restarts: u32,
}

impl Published {
    pub fn new(clock: Clock) -> Self {
        Self { clock, watch: None }
    }

    /// Something was done that has the name probed anew.
    pub fn watch(&mut self) {
        let now = self.clock.mono();
        self.watch = Some(Watch { until: now + WATCH, next: now + LOOK_EVERY, restarts: 0 });
    }

    pub fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    pub fn tick(&mut self, root: &Root) {
        let now = self.clock.mono();
        let Some(watch) = self.watch.as_mut().filter(|watch| now >= watch.next) else { return };
        watch.next = now + LOOK_EVERY;
        match strayed(root) {
            Ok(Some(name)) if watch.restarts < RESTARTS => {
                tracing::warn!(name, "the box is published by a name that is not its own: told again");
                watch.restarts += 1;
                watch.until = now + WATCH;
                if let Err(error) = names::reload(root) {
                    tracing::warn!("the name on the LAN: {error}");
                }
            }
            Ok(Some(name)) => {
                tracing::warn!(name, "another host on the LAN has this box's name; choose another one");
                self.watch = None;
                return;
            }
            Ok(None) => {}
            // It may be on its way up.
            Err(error) => tracing::debug!("the published name is not known: {error}"),
        }
        if self.watch.as_ref().is_some_and(|watch| now >= watch.until) {
            self.watch = None;
        }
    }
}

/// The published name, where it is not the box's own.
fn strayed(root: &Root) -> Result<Option<String>> {
    let own = root.read(&format!("{RUN}/hostname"))?.unwrap_or_default();
    let asked = [
        "--system",
        "get-property",
        "org.freedesktop.resolve1",
        "/org/freedesktop/resolve1",
        "org.freedesktop.resolve1.Manager",
        // That of mDNS is the same, whatever its name says.
        "LLMNRHostname",
    ];
    let told = root.run("busctl", &asked, PATIENCE)?;
    let name = told.trim().strip_prefix("s \"").and_then(|rest| rest.strip_suffix('"'));
    let name = name.ok_or_else(|| Error::internal("systemd-resolved tells no name"))?;
    Ok((!name.eq_ignore_ascii_case(own.trim())).then(|| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::root::rehearsal::Rehearsal;
    use super::*;

    const RESTARTED: &str = "systemctl --no-block try-restart systemd-resolved.service";

    /// A box called `gate`.
    fn gate() -> (Rehearsal, Clock, Published) {
        let it = Rehearsal::new();
        it.programs();
        it.file("/run/h5edge-system/hostname", "gate\n");
        let clock = Clock::simulated(SystemTime::UNIX_EPOCH);
        let published = Published::new(clock.clone());
        (it, clock, published)
    }

    fn told(it: &Rehearsal, name: &str) {
        it.program("busctl", &format!("echo 's \"{name}\"'"));
    }

    /// Ticks each second for `seconds`; how often resolved was restarted.
    fn restarts(it: &Rehearsal, published: &mut Published, clock: &Clock, seconds: u32) -> usize {
        it.ran();
        for _ in 0..seconds {
            clock.advance(Duration::from_secs(1));
            published.tick(&it.root);
        }
        it.ran().iter().filter(|line| *line == RESTARTED).count()
    }

    #[test]
    fn a_name_that_strayed_is_told_again() {
        let (it, clock, mut published) = gate();
        told(&it, "gate5");
        assert_eq!(restarts(&it, &mut published, &clock, 60), 0, "nobody asked");
        published.watch();
        assert_eq!(restarts(&it, &mut published, &clock, 5), 1);
        told(&it, "Gate");
        assert_eq!(restarts(&it, &mut published, &clock, 60), 0);
        assert!(!published.is_watched());
    }

    #[test]
    fn a_name_that_another_host_has_is_left_in_the_end() {
        let (it, clock, mut published) = gate();
        told(&it, "gate5");
        published.watch();
        assert_eq!(restarts(&it, &mut published, &clock, 120), RESTARTS as usize);
        assert!(!published.is_watched());
    }

    #[test]
    fn a_resolved_that_does_not_answer_is_left_alone() {
        let (it, clock, mut published) = gate();
        it.program("busctl", "exit 1");
        published.watch();
        assert_eq!(restarts(&it, &mut published, &clock, 60), 0);
        assert!(!published.is_watched());
    }
}
