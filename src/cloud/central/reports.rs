//! What cameras of sites report: told by the edge between its lists of sources, given to whoever listens at this
//! central, and to the other nodes.
//!
//! Memory: [`QUEUE`] reports for all listeners together; who is further behind loses the oldest.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::time::Instant;

use super::Central;

/// Reports that wait for slow listeners.
pub const QUEUE: usize = 1024;
/// Notices to the other nodes: a camera of a site reported something.
pub const REPORT: &str = "report";
/// Reports of one site that are passed on within [`SPAN`]; more are dropped.
const MOST: u32 = 100;
const SPAN: Duration = Duration::from_secs(5);
/// Longest name of an input or rule, in characters.
const MAX_ITEM: usize = 64;

/// One change that a camera of a site reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The mapped token.
    pub token: String,
    /// As in the edge's events; an unknown one is for nobody.
    pub kind: String,
    /// Which input or rule.
    pub item: String,
    pub active: bool,
}

impl Report {
    /// What an edge says, or another node.
    fn parse(said: &Value) -> Option<Self> {
        let text = |name: &str| said[name].as_str();
        Some(Self {
            token: text("strToken")?.to_owned(),
            kind: text("strType")?.chars().take(MAX_ITEM).collect(),
            item: text("strItem")?.chars().take(MAX_ITEM).collect(),
            active: said["bActive"].as_bool()?,
        })
    }

    fn told(&self) -> Value {
        json!({ "strToken": self.token, "strType": self.kind, "strItem": self.item, "bActive": self.active })
    }
}

/// How much a connected site has reported lately.
#[derive(Debug)]
pub struct Meter {
    since: Instant,
    count: u32,
}

impl Meter {
    pub fn new() -> Self {
        Self { since: Instant::now(), count: 0 }
    }

    /// Counts one more; whether it may pass.
    fn passes(&mut self) -> bool {
        if self.since.elapsed() > SPAN {
            *self = Self::new();
        }
        self.count += 1;
        self.count <= MOST
    }
}

impl Central {
    /// What cameras of sites report from now on.
    pub fn reports(&self) -> Receiver<Arc<Report>> {
        self.reports.subscribe()
    }

    /// Takes in what a connected site says of one of its sources.
    pub(super) async fn reported(&self, site: &str, said: &Value, meter: &mut Meter) {
        let known = |original: &str| self.site(site).is_ok_and(|site| site.source(original).is_some());
        let report = Report::parse(said).filter(|report| known(&report.token) && meter.passes());
        let Some(mut report) = report else { return };
        report.token = format!("{site}-{}", report.token);
        // Later it is of no use to the other nodes.
        if let Some(cluster) = self.cluster.get().filter(|cluster| cluster.trouble().is_none())
            && let Err(error) = cluster.publish(REPORT, report.told()).await
        {
            tracing::debug!(site, "a report was not told to the other nodes: {error}");
        }
        self.give(report);
    }

    /// Takes in what another node says of one of its sites.
    pub(super) fn reported_elsewhere(&self, said: &Value) {
        if let Some(report) = Report::parse(said) {
            self.give(report);
        }
    }

    fn give(&self, report: Report) {
        // Without anybody who listens there is nobody to tell.
        let _ = self.reports.send(Arc::new(report));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_checked() {
        let said =
            json!({ "strToken": "a", "strType": "motion", "strItem": "x".repeat(99), "bActive": true });
        let report = Report::parse(&said).unwrap();
        assert_eq!(report.item.len(), MAX_ITEM);
        assert_eq!(Report::parse(&report.told()), Some(report));
        assert_eq!(Report::parse(&json!({ "strToken": "a", "strType": "motion", "strItem": "" })), None);
        assert_eq!(Report::parse(&json!(7)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_site_that_reports_without_end_is_cut_short() {
        let mut meter = Meter::new();
        assert_eq!((0..3 * MOST).filter(|_| meter.passes()).count(), MOST as usize);
        tokio::time::advance(SPAN + SPAN).await;
        assert!(meter.passes());
    }
}
