//! Logging of what lasts: the reason soon, then again after growing pauses.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};
use tracing::warn;

/// A shorter outage, for example the restart of a broker, is not logged.
pub(crate) const FIRST: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The growing pauses between two log lines about a lasting failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GrowingPause(Duration);

impl Default for GrowingPause {
    fn default() -> Self {
        Self(PAUSE)
    }
}

impl GrowingPause {
    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// A failure that is met again and again, and when to tell of it.
#[derive(Debug)]
pub(crate) struct Outage {
    first: Duration,
    /// When it is told next, and the pause after that; `None` while nothing fails.
    next: Option<(Instant, GrowingPause)>,
    is_told: bool,
}

impl Outage {
    /// None yet. One that is over sooner than `first` is not told.
    pub(crate) fn told_after(first: Duration) -> Self {
        Self { first, next: None, is_told: false }
    }

    /// Notes a failure. Returns whether to tell of it now.
    pub(crate) fn failed(&mut self, now: Instant) -> bool {
        let (due, mut pause) = *self.next.get_or_insert((now + self.first, GrowingPause::default()));
        if now < due {
            return false;
        }
        let after = pause.next();
        self.next = Some((now + after, pause));
        self.is_told = true;
        true
    }

    /// Whether it failed since the last success.
    pub(crate) fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Notes a success. Returns whether there was a failure that was told.
    pub(crate) fn ended(&mut self) -> bool {
        self.next = None;
        std::mem::take(&mut self.is_told)
    }
}

/// The client, servers and action of a pending request, for the log, and the failure of its last attempt.
pub(crate) struct Asking<'a> {
    pub(crate) client: &'a str,
    pub(crate) servers: String,
    pub(crate) action: &'a str,
    pub(crate) last_failure: Mutex<String>,
}

impl Asking<'_> {
    pub(crate) fn failed(&self, reason: String) {
        *self.last_failure.lock() = reason;
    }

    /// Awaits `answer`; logs the reason for a delay meanwhile.
    ///
    /// # Cancellation
    /// That of `answer`.
    pub(crate) async fn told_while<T>(&self, answer: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            answer = answer => answer,
            never = self.tell() => match never {},
        }
    }

    async fn tell(&self) -> std::convert::Infallible {
        let started = Instant::now();
        let mut pause = GrowingPause::default();
        sleep(FIRST).await;
        loop {
            let reason = self.last_failure.lock().clone();
            let seconds = started.elapsed().as_secs();
            warn!(
                client = self.client,
                servers = self.servers,
                reason,
                seconds,
                "kafka does not answer, trying again: could not {} yet",
                self.action
            );
            sleep(pause.next()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_to_a_limit() {
        let mut pause = GrowingPause::default();
        let pauses: Vec<u64> = (0..8).map(|_| pause.next().as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn an_outage_is_told_when_it_has_lasted_a_while_and_again_after_growing_pauses() {
        let began = Instant::now();
        let mut outage = Outage::told_after(FIRST);
        let told: Vec<u64> = (0..60).filter(|second| outage.failed(began + Duration::from_secs(*second))).collect();
        assert_eq!(told, [1, 6, 16, 36]);
        assert!(outage.ended() && !outage.ended());
        // one that is over at once
        assert!(!outage.failed(began + Duration::from_secs(70)) && !outage.ended());
        assert!(!outage.failed(began + Duration::from_secs(80)));
    }
}
