//! Which nodes are alive, from their heart-beats. Arithmetic on given times; the owner sends and receives.
//!
//! Heart-beats are plain NATS messages rather than keys of a bucket: while the servers elect a new leader of a
//! bucket, which takes up to ten seconds, nothing can be put into it, and every node would look dead.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How often a node says that it lives.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// A node that is not heard for so long is dead, and all its sites are away.
pub(super) const LEASE: Duration = Duration::from_secs(4);

/// Nodes that are known at most; a beat of one more is not heard.
const MAX_NODES: usize = 256;

/// One life of a node: a node that starts again is another one, and what it said before is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Life {
    pub node: String,
    /// Random, made at the start.
    pub run: u64,
}

/// A heart-beat, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beat {
    #[serde(flatten)]
    pub life: Life,
    /// The node stops now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bye: bool,
    /// The node has just come and wants to hear everybody's beat at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ask: bool,
}

/// The nodes other than this one.
#[derive(Debug, Default)]
pub(super) struct Members {
    nodes: HashMap<String, (u64, Instant)>,
}

impl Members {
    /// Takes in a beat; whether this changed who is alive.
    pub fn hear(&mut self, beat: &Beat, now: Instant) -> bool {
        let Life { node, run } = &beat.life;
        if beat.bye {
            let known = self.nodes.get(node).is_some_and(|(known, _)| known == run);
            return known && self.nodes.remove(node).is_some();
        }
        if !self.nodes.contains_key(node) && self.nodes.len() >= MAX_NODES {
            return false;
        }
        let before = self.nodes.insert(node.clone(), (*run, now));
        before.is_none_or(|(before, _)| before != *run)
    }

    /// Forgets the nodes whose lease is over; their names.
    pub fn expire(&mut self, now: Instant) -> Vec<String> {
        self.nodes.extract_if(|_, (_, heard)| now - *heard >= LEASE).map(|(node, _)| node).collect()
    }

    /// Whether this very life is alive.
    pub fn alive(&self, life: &Life, now: Instant) -> bool {
        self.nodes.get(&life.node).is_some_and(|(run, heard)| *run == life.run && now - *heard < LEASE)
    }

    pub fn names(&self, now: Instant) -> impl Iterator<Item = &String> {
        self.nodes.iter().filter(move |(_, (_, heard))| now - *heard < LEASE).map(|(node, _)| node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(run: u64) -> Beat {
        Beat { life: Life { node: "a".into(), run }, bye: false, ask: false }
    }

    #[test]
    fn a_lease_ends_after_silence_and_with_a_new_life() {
        let start = Instant::now();
        let mut members = Members::default();
        assert!(members.hear(&beat(1), start));
        assert!(!members.hear(&beat(1), start + BEAT));
        assert!(members.alive(&beat(1).life, start + LEASE));
        assert!(!members.alive(&beat(1).life, start + BEAT + LEASE));
        assert!(members.expire(start + LEASE).is_empty());

        assert!(members.hear(&beat(2), start + BEAT));
        assert!(!members.alive(&beat(1).life, start + BEAT));
        assert!(members.alive(&beat(2).life, start + BEAT));
        assert_eq!(members.expire(start + BEAT + LEASE), ["a"]);
    }

    #[test]
    fn a_goodbye_counts_for_its_own_life_only() {
        let now = Instant::now();
        let mut members = Members::default();
        members.hear(&beat(2), now);
        assert!(!members.hear(&Beat { bye: true, ..beat(1) }, now));
        assert!(members.alive(&beat(2).life, now));
        assert!(members.hear(&Beat { bye: true, ..beat(2) }, now));
        assert_eq!(members.names(now).count(), 0);
    }
}
