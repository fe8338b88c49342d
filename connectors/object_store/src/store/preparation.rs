//! The check of a store before it is used.

use std::sync::Arc;

use volley_api::Result;

use super::look::look;
use super::retry::{Patience, RetryPolicy};
use super::storage::Storage;
use super::storage_url::check_error;

/// Whether a store has been checked and prepared.
#[derive(Debug)]
pub(crate) struct Preparation {
    storage: Arc<dyn Storage>,
    patience: Patience,
    is_done: bool,
}

impl Preparation {
    /// Not yet.
    pub(crate) fn new(storage: Arc<dyn Storage>, retry: RetryPolicy) -> Self {
        Self { storage, patience: Patience::new(retry), is_done: false }
    }

    /// Checks and prepares the store, once.
    ///
    /// # Errors
    /// `Config` for wrong credentials or a missing bucket; otherwise `Retriable` until the time-out, `Fatal` then.
    pub(crate) fn prepare(&mut self) -> Result<()> {
        if self.is_done {
            return Ok(());
        }
        let (storage, mut hopeless) = (Arc::clone(&self.storage), None);
        let outcome = self.patience.attempt(&format!("reach {}", storage.url()), || {
            let url = storage.url().to_owned();
            look(&url, Arc::clone(&storage), |storage| storage.prepare())
                .inspect_err(|error| hopeless = check_error(&url, error))
        });
        if let Some(error) = hopeless {
            return Err(error);
        }
        outcome?;
        self.is_done = true;
        Ok(())
    }
}
