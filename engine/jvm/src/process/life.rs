//! Whether a process lives, and why it does not.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use volley_api::Error;

/// What is known of a process.
#[derive(Debug, Default)]
struct Known {
    has_control: bool,
    has_callbacks: bool,
    /// Why a connection of it was refused.
    refused: Option<String>,
    /// Why it is being killed.
    killed: Option<String>,
    /// Its process id may belong to another by now.
    is_reaped: bool,
    ended: Option<Error>,
}

/// The life of a process, for all threads that care for it.
#[derive(Debug, Default)]
pub(super) struct Life {
    known: Mutex<Known>,
    changed: Condvar,
}

impl Life {
    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock());
        self.changed.notify_all();
    }

    pub(super) fn has_control(&self) {
        self.change(|known| known.has_control = true);
    }

    pub(super) fn has_callbacks(&self) {
        self.change(|known| known.has_callbacks = true);
    }

    /// A connection is refused that the process needs. One that comes later, of a task, is only missed there.
    pub(super) fn refuse(&self, why: String) {
        self.change(|known| {
            if !(known.has_control && known.has_callbacks) {
                known.refused = Some(why);
            }
        });
    }

    /// Runs `kill` while the process id is that of the process. The first reason counts.
    pub(super) fn kill(&self, why: &str, kill: impl FnOnce()) {
        self.change(|known| {
            if !known.is_reaped {
                known.killed.get_or_insert_with(|| why.to_owned());
                kill();
            }
        });
    }

    /// Runs `signal` if the process id is that of the process.
    pub(super) fn signal(&self, signal: impl FnOnce()) {
        let known = self.known.lock();
        if !known.is_reaped {
            signal();
        }
    }

    /// Runs `reap`, after which the process id may belong to another.
    pub(super) fn reap<T>(&self, reap: impl FnOnce() -> T) -> T {
        let mut known = self.known.lock();
        known.is_reaped = true;
        reap()
    }

    /// Why it was refused or killed, if it was by this side.
    pub(super) fn killed(&self) -> Option<String> {
        let known = self.known.lock();
        known.refused.clone().or_else(|| known.killed.clone())
    }

    pub(super) fn end(&self, error: Error) {
        self.change(|known| known.ended = Some(error));
    }

    /// Why it ended; `None` while it lives.
    pub(super) fn ended(&self) -> Option<Error> {
        self.known.lock().ended.clone()
    }

    /// Waits for its end.
    pub(super) fn await_end(&self, limit: Duration) -> Option<Error> {
        self.await_that(limit, |known| known.ended.is_some());
        self.ended()
    }

    /// Waits for its connections. `false`: they did not come, or not in time.
    pub(super) fn await_hello(&self, limit: Duration) -> bool {
        let is_there = |known: &Known| known.has_control && known.has_callbacks;
        self.await_that(limit, |known| is_there(known) || known.refused.is_some() || known.ended.is_some());
        let known = self.known.lock();
        is_there(&known) && known.refused.is_none() && known.ended.is_none()
    }

    fn await_that(&self, limit: Duration, is_so: impl Fn(&Known) -> bool) {
        let deadline = Instant::now() + limit;
        let mut known = self.known.lock();
        while !is_so(&known) && !self.changed.wait_until(&mut known, deadline).timed_out() {}
    }
}
