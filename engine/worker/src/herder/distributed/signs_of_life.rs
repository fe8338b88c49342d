//! Answers health checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

/// A request for a sign of life.
pub(super) type Ping = oneshot::Sender<()>;

/// Answers pings also while a rebalance waits for others. Pings wait while the worker is cut off from its group, since it
/// runs nothing then.
pub(super) struct SignsOfLife {
    pings: mpsc::Receiver<Ping>,
    waiting: Vec<Ping>,
    is_cut_off: Arc<AtomicBool>,
}

impl SignsOfLife {
    pub(super) fn new(pings: mpsc::Receiver<Ping>, is_cut_off: Arc<AtomicBool>) -> Self {
        Self { pings, waiting: Vec::new(), is_cut_off }
    }

    /// Answers the next request, or has it wait.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn next(&mut self) {
        match self.pings.recv().await {
            Some(ping) => {
                // Some requests have timed out meanwhile.
                self.waiting.retain(|ping| !ping.is_closed());
                self.waiting.push(ping);
                self.catch_up();
            }
            None => std::future::pending().await,
        }
    }

    /// Answers the pings that wait, if the worker is in its group.
    pub(super) fn catch_up(&mut self) {
        if !self.is_cut_off.load(Ordering::Acquire) {
            for ping in self.waiting.drain(..) {
                // The request may have timed out meanwhile.
                let _ = ping.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_sign_of_life_is_given_until_the_worker_is_back_in_its_group() {
        let is_cut_off = Arc::new(AtomicBool::new(false));
        let (sender, received) = mpsc::channel(2);
        let mut signs = SignsOfLife::new(received, Arc::clone(&is_cut_off));
        let ping = || {
            let (ping, answer) = oneshot::channel();
            sender.try_send(ping).unwrap();
            answer
        };
        let mut well = ping();
        signs.next().await;
        well.try_recv().unwrap();
        is_cut_off.store(true, Ordering::Release);
        let mut unwell = ping();
        signs.next().await;
        signs.catch_up();
        unwell.try_recv().unwrap_err();
        is_cut_off.store(false, Ordering::Release);
        signs.catch_up();
        unwell.try_recv().unwrap();
    }
}
