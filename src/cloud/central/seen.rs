//! When sites were connected last: written a little later, that of many at once, since after a restart of the central
//! all come back within seconds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Central, Table};
use crate::base::wall::Wall;
use crate::store::{SiteRow, SiteSeen};

/// How long what is noted may wait to be written.
const WRITE: Duration = Duration::from_secs(5);

impl Central {
    /// Has it written that a site is or was connected now.
    pub(super) fn note(self: &Arc<Self>, table: &mut Table, token: &str, at: Wall) {
        let Some(SiteRow { uuid, address, .. }) = table.sites.get(token).map(|site| &site.row) else {
            return;
        };
        let (uuid, address) = (uuid.clone(), address.clone());
        let first = table.seen.is_empty();
        table.seen.insert(token.to_owned(), SiteSeen { token: token.to_owned(), uuid, address, at });
        // While the runtime ends there is none.
        if let Some(runtime) = tokio::runtime::Handle::try_current().ok().filter(|_| first) {
            let central = self.clone();
            runtime.spawn(async move {
                sleep(WRITE).await;
                let seen: Vec<_> = std::mem::take(&mut central.lock().seen).into_values().collect();
                if let Err(error) = central.store.run(move |store| store.set_sites_seen(&seen)).await {
                    tracing::warn!("not noted when sites were seen: {error}");
                }
            });
        }
    }
}
