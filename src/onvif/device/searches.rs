//! Searches that were begun and whose results were not all fetched.
//!
//! Memory: [`MAX_SEARCHES`] of at most [`MAX_RESULTS`] results each; the one that was asked for longest ago
//! makes room. A search that nobody asks for goes after its keep-alive time, at most [`LONGEST`].

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::fault::Fault;
use super::search::Event;

const MAX_SEARCHES: usize = 32;
/// Of one search.
pub const MAX_RESULTS: usize = 10_000;
const LONGEST: Duration = Duration::from_secs(120);

/// What was found and not fetched yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Results {
    /// Tokens.
    Recordings(VecDeque<String>),
    Events(VecDeque<Event>),
}

/// Some of the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub results: Results,
    /// There are no more.
    pub done: bool,
}

#[derive(Debug)]
struct Search {
    results: Results,
    patience: Duration,
    asked: Instant,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Searches(Mutex<HashMap<String, Search>>);

impl Results {
    fn is_empty(&self) -> bool {
        match self {
            Self::Recordings(all) => all.is_empty(),
            Self::Events(all) => all.is_empty(),
        }
    }

    /// The first `most`, which go.
    fn split(&mut self, most: usize) -> Self {
        match self {
            Self::Recordings(all) => Self::Recordings(all.drain(..most.min(all.len())).collect()),
            Self::Events(all) => Self::Events(all.drain(..most.min(all.len())).collect()),
        }
    }
}

impl Searches {
    /// Keeps `results` for as long as the `xs:duration` says; their token.
    ///
    /// # Errors
    /// `ter:InvalidArgVal` for what is no duration.
    pub fn begin(&self, results: Results, keep_alive: &str) -> Result<String, Fault> {
        let span: jiff::SignedDuration =
            keep_alive.parse().map_err(|_| Fault::argument("KeepAliveTime is no duration"))?;
        let patience = Duration::try_from(span).unwrap_or_default().clamp(Duration::from_secs(1), LONGEST);
        let token = format!("search_{:016x}", rand::random::<u64>());
        let mut table = self.table();
        if table.len() >= MAX_SEARCHES {
            let oldest = table.iter().min_by_key(|(_, search)| search.asked).map(|(token, _)| token.clone());
            oldest.map(|oldest| table.remove(&oldest));
        }
        table.insert(token.clone(), Search { results, patience, asked: Instant::now() });
        Ok(token)
    }

    /// The next results, at most so many.
    ///
    /// # Errors
    /// `ter:InvalidToken` for a search that is not there (any more).
    pub fn take(&self, token: &str, most: usize) -> Result<Batch, Fault> {
        let mut table = self.table();
        let search = table.get_mut(token).ok_or_else(unknown)?;
        search.asked = Instant::now();
        let results = search.results.split(most);
        Ok(Batch { results, done: search.results.is_empty() })
    }

    /// Whether all results were fetched.
    ///
    /// # Errors
    /// As for [`Searches::take`].
    pub fn is_done(&self, token: &str) -> Result<bool, Fault> {
        self.table().get(token).map(|search| search.results.is_empty()).ok_or_else(unknown)
    }

    /// Forgets a search; up to when it had searched.
    ///
    /// # Errors
    /// As for [`Searches::take`].
    pub fn end(&self, token: &str) -> Result<SystemTime, Fault> {
        let ended = self.table().remove(token).ok_or_else(unknown)?;
        Ok(SystemTime::now() - ended.asked.elapsed())
    }

    /// Without those that are over.
    fn table(&self) -> MutexGuard<'_, HashMap<String, Search>> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(|_, search| search.asked.elapsed() < search.patience);
        table
    }
}

fn unknown() -> Fault {
    Fault::named(&["ter:InvalidArgVal", "ter:InvalidToken"], "there is no such search")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Results {
        Results::Recordings((0..count).map(|n| n.to_string()).collect())
    }

    #[test]
    fn results_are_given_once_and_in_order() {
        let searches = Searches::default();
        let token = searches.begin(names(5), "PT10S").unwrap();
        assert!(!searches.is_done(&token).unwrap());
        assert_eq!(searches.take(&token, 3).unwrap(), Batch { results: names(3), done: false });
        let rest = searches.take(&token, 3).unwrap();
        assert_eq!(rest.results, Results::Recordings(["3", "4"].map(String::from).into()));
        assert!(rest.done && searches.is_done(&token).unwrap());
        searches.end(&token).unwrap();
        assert!(searches.take(&token, 1).is_err() && searches.end(&token).is_err());
    }

    #[test]
    fn searches_are_bounded_in_number_and_time() {
        let searches = Searches::default();
        let first = searches.begin(names(1), "PT10S").unwrap();
        for _ in 0..MAX_SEARCHES {
            searches.begin(names(1), "PT10S").unwrap();
        }
        assert_eq!(searches.table().len(), MAX_SEARCHES);
        assert!(searches.take(&first, 1).is_err(), "the oldest made room");
        assert!(searches.begin(names(1), "soon").is_err());
        let token = searches.begin(names(1), "PT9999H").unwrap();
        assert_eq!(searches.table().get(&token).unwrap().patience, LONGEST);
    }
}
