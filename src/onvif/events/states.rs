//! What is going on at a camera, so that only changes are events.

use std::collections::HashSet;

use super::CameraEvent;
use super::notice::Notice;

/// Most things that can go on at the same time; more than that are not told apart.
pub const MOST: usize = 256;

/// What goes on: topic and thing of each active state.
#[derive(Debug, Default)]
pub struct States {
    active: HashSet<(String, super::EventKind, String)>,
}

impl States {
    /// The event that a notice is, if it is one: several topics that tell of motion of the same thing make
    /// one event, from the first that begins to the last that ends.
    pub fn learn(&mut self, notice: Notice) -> Option<CameraEvent> {
        let Notice { topic, event } = notice;
        let key = (topic, event.kind, event.item.clone());
        if event.active {
            let going_on = self.goes_on(&event);
            let full = self.active.len() >= MOST;
            let new = !full && self.active.insert(key);
            (new && !going_on).then_some(event)
        } else {
            let ended = self.active.remove(&key);
            (ended && !self.goes_on(&event)).then_some(event)
        }
    }

    fn goes_on(&self, event: &CameraEvent) -> bool {
        self.active.iter().any(|(_, kind, item)| *kind == event.kind && *item == event.item)
    }
}

#[cfg(test)]
mod tests {
    use super::super::EventKind;
    use super::*;

    fn notice(topic: &str, item: &str, active: bool) -> Notice {
        let event = CameraEvent { kind: EventKind::Motion, item: item.into(), active };
        Notice { topic: topic.into(), event }
    }

    #[test]
    fn only_changes_are_events() {
        let mut states = States::default();
        let mut learn = |active| states.learn(notice("a", "v", active)).map(|event| event.active);
        assert_eq!(learn(false), None, "nothing was going on");
        assert_eq!(learn(true), Some(true));
        assert_eq!(learn(true), None, "told again, as after a reconnect");
        assert_eq!(learn(false), Some(false));
        assert_eq!(learn(false), None, "told again");
        assert_eq!(learn(true), Some(true));
    }

    #[test]
    fn topics_about_the_same_thing_make_one_event() {
        let mut states = States::default();
        let mut learn = |topic, item, active| states.learn(notice(topic, item, active)).is_some();
        assert!(learn("alarm", "v", true));
        assert!(!learn("cells", "v", true));
        assert!(learn("cells", "w", true));
        assert!(!learn("alarm", "v", false));
        assert!(learn("cells", "v", false));
    }

    #[test]
    fn a_camera_with_countless_rules_is_bounded() {
        let mut states = States::default();
        let events = (0..1000).filter_map(|n| states.learn(notice("a", &n.to_string(), true))).count();
        assert_eq!((events, states.active.len()), (MOST, MOST));
    }
}
