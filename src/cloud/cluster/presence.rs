//! Where each site is: one record per site, and of two records the newer one counts, whichever way and in
//! whichever order they come. Arithmetic only; `bucket` and the cluster's listening task feed it.
//!
//! A record's stamp is wall time, but always later than that of the record it replaces, so that clocks that
//! differ decide only between nodes that could not hear each other. Memory: about 300 octets and the facts
//! (4 KB at most) for each site that was seen in the last day.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::members::Life;

/// Octets of JSON that a site's facts may have.
pub(super) const MAX_FACTS: usize = 4096;

/// What a node says of a site, as JSON in the bucket and between nodes. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    #[serde(flatten)]
    pub life: Life,
    pub stamp: u64,
    /// Since when the site is there, or away.
    pub since: u64,
    pub here: bool,
    /// JSON that the node's owner gave.
    pub facts: Box<str>,
}

impl Record {
    fn newer(&self, other: &Self) -> bool {
        (self.stamp, self.life.run) > (other.stamp, other.life.run)
    }
}

#[derive(Debug)]
struct Known {
    record: Record,
    /// The stamp of what the bucket has, and when that was put there.
    stored: u64,
    stored_at: u64,
}

/// What this node holds itself.
#[derive(Debug)]
struct Held {
    since: u64,
    facts: Box<str>,
}

#[derive(Debug)]
pub(super) struct Sites {
    me: Life,
    held: HashMap<String, Held>,
    known: HashMap<String, Known>,
    /// Sites whose record the bucket must get from this node.
    dirty: HashSet<String>,
}

/// What to do after a record was taken in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    /// The site's presence changed.
    pub changed: bool,
    /// What this node says against it.
    pub answer: Option<Record>,
}

impl Sites {
    pub fn new(me: Life) -> Self {
        Self { me, held: HashMap::new(), known: HashMap::new(), dirty: HashSet::new() }
    }

    fn say(&mut self, site: &str, here: bool, since: u64, facts: Box<str>, now: u64) -> Record {
        let known = self.known.get(site);
        let stamp = known.map_or(now, |known| now.max(known.record.stamp + 1));
        let (stored, stored_at) = known.map_or((0, 0), |known| (known.stored, known.stored_at));
        let record = Record { life: self.me.clone(), stamp, since, here, facts };
        self.known.insert(site.to_owned(), Known { record: record.clone(), stored, stored_at });
        self.dirty.insert(site.to_owned());
        record
    }

    /// This node has the site now.
    pub fn here(&mut self, site: &str, facts: Box<str>, now: u64) -> Record {
        let ours =
            self.known.get(site).is_some_and(|known| known.record.here && known.record.life == self.me);
        let since = self.held.get(site).filter(|_| ours).map_or(now, |held| held.since);
        self.held.insert(site.to_owned(), Held { since, facts: facts.clone() });
        self.say(site, true, since, facts, now)
    }

    /// This node has the site no more. Nothing to say if another node has it meanwhile.
    pub fn gone(&mut self, site: &str, now: u64) -> Option<Record> {
        self.held.remove(site)?;
        let known = self.known.get(site)?;
        if known.record.life != self.me {
            return None;
        }
        let facts = known.record.facts.clone();
        Some(self.say(site, false, now, facts, now))
    }

    /// Takes in what another node says.
    pub fn merge(&mut self, site: &str, record: Record, now: u64) -> Merged {
        match self.known.get_mut(site) {
            Some(known) if record.newer(&known.record) => known.record = record.clone(),
            Some(_) => return Merged::default(),
            None => {
                let known = Known { record: record.clone(), stored: 0, stored_at: 0 };
                self.known.insert(site.to_owned(), known);
            }
        }
        // It left the other node, but this one has it: its clock was behind.
        let answer =
            self.held.get(site).filter(|_| !record.here).map(|held| (held.since, held.facts.clone()));
        let answer = answer.map(|(since, facts)| self.say(site, true, since, facts, now));
        Merged { changed: true, answer }
    }

    /// The bucket is read anew: what it has will be told by [`Self::stored`].
    pub fn forget_stored(&mut self) {
        self.known.values_mut().for_each(|known| known.stored = 0);
    }

    /// The bucket has a record with this stamp. If that is not this node's newest one, it must be put again.
    pub fn stored(&mut self, site: &str, stamp: u64, now: u64) {
        if let Some(known) = self.known.get_mut(site) {
            (known.stored, known.stored_at) = (stamp, now);
            if known.record.life == self.me && known.record.stamp > stamp {
                self.dirty.insert(site.to_owned());
            }
        }
    }

    /// This node's records, `most` of them, that the bucket is not known to have.
    pub fn unstored(&self, most: usize) -> Vec<(String, Record)> {
        let ours = |known: &Known| known.record.life == self.me && known.stored < known.record.stamp;
        let found = self.known.iter().filter(|(_, known)| ours(known)).take(most);
        found.map(|(site, known)| (site.clone(), known.record.clone())).collect()
    }

    /// Every record of this node's that the bucket lacks, or has for longer than `renew` ms, is to be put.
    pub fn mark_unstored(&mut self, now: u64, renew: u64) {
        for (site, known) in &self.known {
            let old = known.record.here && now.saturating_sub(known.stored_at) > renew;
            if known.record.life == self.me && (known.stored < known.record.stamp || old) {
                self.dirty.insert(site.clone());
            }
        }
    }

    /// At most `most` records that are to be put; they count as put until [`Self::failed`] says otherwise.
    pub fn take_dirty(&mut self, most: usize) -> Vec<(String, Record)> {
        let sites: Vec<_> = self.dirty.iter().take(most).cloned().collect();
        let mut taken = Vec::with_capacity(sites.len());
        for site in sites {
            self.dirty.remove(&site);
            // Another node's newer record is that node's to put.
            if let Some(known) = self.known.get(&site).filter(|known| known.record.life == self.me) {
                taken.push((site, known.record.clone()));
            }
        }
        taken
    }

    /// This site's record could not be put.
    pub fn failed(&mut self, site: String) {
        self.dirty.insert(site);
    }

    /// Takes back the sites that this node has although a node that is dead now said to have them.
    pub fn reclaim(&mut self, alive: impl Fn(&Life) -> bool, now: u64) -> Vec<(String, Record)> {
        let lost = |site: &&String| {
            self.known.get(*site).is_some_and(|k| k.record.life != self.me && !alive(&k.record.life))
        };
        let sites: Vec<_> = self.held.keys().filter(lost).cloned().collect();
        sites
            .into_iter()
            .filter_map(|site| {
                let held = self.held.get(&site)?;
                let (since, facts) = (held.since, held.facts.clone());
                Some((site.clone(), self.say(&site, true, since, facts, now)))
            })
            .collect()
    }

    /// Forgets sites of which nobody has said anything for `age` ms and that are nowhere.
    pub fn prune(&mut self, alive: impl Fn(&Life) -> bool, now: u64, age: u64) {
        let me = self.me.clone();
        self.known.retain(|_, known| {
            let there = known.record.here && (known.record.life == me || alive(&known.record.life));
            there || now.saturating_sub(known.record.stamp) < age
        });
    }

    /// The newest record of a site that says that it is somewhere.
    pub fn at(&self, site: &str) -> Option<&Record> {
        self.last(site).filter(|record| record.here)
    }

    /// What was heard of the site last, also that it is away.
    pub fn last(&self, site: &str) -> Option<&Record> {
        self.known.get(site).map(|known| &known.record)
    }
}

#[cfg(test)]
#[path = "tests/presence.rs"]
mod tests;
