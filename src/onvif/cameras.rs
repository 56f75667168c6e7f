//! The cameras behind the ONVIF sources, by the source's token: one [`Camera`] each, shared by whoever
//! asks for streams, steers or listens, so that a camera has few connections and one memory of how it
//! wants to be spoken to. Bounded by the number of sources.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Camera;

#[derive(Debug, Default)]
pub struct Cameras(RwLock<HashMap<String, Arc<Camera>>>);

impl Cameras {
    /// The camera of the source `token`; `None` where that is no ONVIF source.
    pub fn get(&self, token: &str) -> Option<Arc<Camera>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    pub fn insert(&self, token: &str, camera: Arc<Camera>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), camera);
    }

    pub fn remove(&self, token: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}
