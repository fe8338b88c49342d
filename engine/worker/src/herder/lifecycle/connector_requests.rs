//! Requests of a running connector to its worker. They may come from any thread.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use volley_api::{ConnectorContext, Error};

#[derive(Debug, Default)]
struct Pending {
    is_closed: bool,
    reconfigure: bool,
    error: Option<Error>,
}

/// The requests of one connector instance. Any number of equal requests is one.
#[derive(Debug, Default)]
pub(crate) struct ConnectorRequests {
    pending: Mutex<Pending>,
    wake: Arc<Notify>,
}

/// A request, taken.
#[derive(Debug)]
pub(crate) enum ConnectorRequest {
    /// `task_configs` is to be called again.
    Reconfigure,
    /// The connector is to be FAILED.
    Fail(Error),
}

impl ConnectorRequests {
    /// No requests yet; `wake` is notified of each.
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self { pending: Mutex::default(), wake }
    }

    /// The context through which the connector makes requests.
    pub(crate) fn context(self: &Arc<Self>, connector: &str) -> ConnectorContext {
        let (reconfigure, fail) = (Arc::clone(self), Arc::clone(self));
        ConnectorContext::new(connector)
            .on_reconfiguration(move || reconfigure.add(|pending| pending.reconfigure = true))
            .on_error(move |error| fail.add(|pending| pending.error = Some(error)))
    }

    /// Ignores all requests of the instance, also those that wait.
    pub(crate) fn close(&self) {
        *self.pending.lock() = Pending { is_closed: true, ..Pending::default() };
    }

    /// Takes the most urgent request.
    pub(crate) fn take(&self) -> Option<ConnectorRequest> {
        let mut pending = self.pending.lock();
        if let Some(error) = pending.error.take() {
            pending.reconfigure = false;
            return Some(ConnectorRequest::Fail(error));
        }
        std::mem::take(&mut pending.reconfigure).then_some(ConnectorRequest::Reconfigure)
    }

    fn add(&self, request: impl FnOnce(&mut Pending)) {
        let mut pending = self.pending.lock();
        if !pending.is_closed {
            request(&mut pending);
            self.wake.notify_one();
        }
    }
}
