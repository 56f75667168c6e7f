//! What pages were told of the sources of sites, at a central and while somebody listens.
//!
//! Only sites that changed are looked at, and those whose pictures are watched here, for the number of viewers. Memory:
//! an entry of about 1 KB for each source.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::change::{Entry, Eyes};
use crate::api::Context;
use crate::api::cloud::list;
use crate::auth::Within;
use crate::cloud::central::{Central, Site};

/// See the module.
pub struct Sites {
    central: Arc<Central>,
    changes: Receiver<String>,
    told: BTreeMap<String, Vec<Arc<Entry>>>,
    watched: BTreeSet<String>,
}

impl Sites {
    pub fn new(ctx: &Context, central: &Arc<Central>) -> Self {
        let changes = central.changes();
        let sites = central.sites();
        let told = sites.iter().map(|site| (site.row.token.clone(), entries(ctx, central, site))).collect();
        Self { central: central.clone(), changes, told, watched: BTreeSet::new() }
    }

    /// Those that somebody may see.
    pub fn seen_by<'a>(&'a self, eyes: &'a Eyes) -> impl Iterator<Item = &'a str> {
        let within = self.told.iter().map(|(site, entries)| (eyes.sight.within(site), site, entries));
        within.flat_map(|(within, site, entries)| {
            let own = move |entry: &Entry| within.covers(&entry.token[site.len() + 1..]);
            entries.iter().filter(move |entry| own(entry)).map(|entry| entry.text.as_str())
        })
    }

    /// What is new since the last look, and the tokens of those that are gone.
    pub fn look(&mut self, ctx: &Context) -> (Vec<Arc<Entry>>, Vec<String>) {
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for site in self.turned() {
            let now =
                self.central.site(&site).map(|site| entries(ctx, &self.central, &site)).unwrap_or_default();
            let before = match now.is_empty() {
                true => self.told.remove(&site),
                false => self.told.insert(site, now.clone()),
            };
            let mut before: HashMap<String, Arc<Entry>> =
                before.unwrap_or_default().into_iter().map(|entry| (entry.token.clone(), entry)).collect();
            for entry in now {
                if before.remove(&entry.token).is_none_or(|old| old.text != entry.text) {
                    changed.push(entry);
                }
            }
            gone.extend(before.into_keys());
        }
        (changed, gone)
    }

    /// Sites to look at.
    fn turned(&mut self) -> BTreeSet<String> {
        let lives = self.central.lives.tokens();
        let sites = lives.iter().filter_map(|mapped| self.central.split(mapped));
        let watched: BTreeSet<String> = sites.map(|(site, _)| site.to_owned()).collect();
        let mut turned: BTreeSet<String> = watched.union(&self.watched).cloned().collect();
        self.watched = watched;
        loop {
            match self.changes.try_recv() {
                Ok(site) => drop(turned.insert(site)),
                Err(TryRecvError::Lagged(_)) => {
                    turned.extend(self.told.keys().cloned());
                    turned.extend(self.central.sites().into_iter().map(|site| site.row.token));
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return turned,
            }
        }
    }
}

fn entries(ctx: &Context, central: &Central, site: &Site) -> Vec<Arc<Entry>> {
    let shown = list::of_site(ctx, central, site, &Within::All).into_iter();
    let entry = shown.map(|item| {
        let token = item["strToken"].as_str().unwrap_or_default().to_owned();
        Arc::new(Entry { token, text: item.to_string() })
    });
    entry.collect()
}
