//! The process for calls that belong to no running connector: what plug-ins there are, what they say of configurations. It is
//! started when it is needed, and ends when it was not for a while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};
use tracing::warn;
use volley_api::{Error, Result};

use crate::control::CallError;
use crate::discovery::{FoundPlugin, FoundPlugins, UsedPlugins};
use crate::java_error;
use crate::process::{HostProcess, Launch, Patience};
use crate::sink_requests::each;

/// For a scan, which loads all classes there are.
const SCAN_LIMIT: Duration = Duration::from_secs(120);
/// For the keys of one plug-in.
const DESCRIBE_LIMIT: Duration = Duration::from_secs(30);
/// For what a plug-in says of a configuration, about which it may ask a system.
pub(crate) const QUESTION_LIMIT: Duration = Duration::from_secs(90);
/// What messages call it.
const NAME: &str = "plug-in discovery and validation";

/// The running process.
#[derive(Debug)]
struct Running {
    process: Arc<HostProcess>,
    used: UsedPlugins,
}

#[derive(Debug)]
struct State {
    running: Option<Arc<Running>>,
    calls: usize,
    last_call: Instant,
}

/// The process, if it runs.
pub(crate) struct Utility {
    launch: Arc<dyn Launch>,
    patience: Patience,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Utility {
    pub(crate) fn new(launch: Arc<dyn Launch>, patience: Patience) -> Self {
        let state = State { running: None, calls: 0, last_call: Instant::now() };
        Self { launch, patience, shared: Arc::new((Mutex::new(state), Condvar::new())) }
    }

    /// Finds all plug-ins at `locations`, with their keys.
    ///
    /// # Errors
    /// If the scan fails.
    pub(crate) fn scan(&self, locations: &[String], discovery: &str) -> Result<FoundPlugins> {
        let request = json!({ "locations": locations, "discovery": discovery });
        let mut found = self.in_process(|running| {
            let answer = running.process.calls().call("SCAN", request.clone(), SCAN_LIMIT, &|| false)?;
            for broken in each(&answer["broken"]) {
                let error = java_error::from_json(&broken["error"]);
                let location = broken["location"].as_str().unwrap_or_default();
                warn!(target: "volley_jvm", location, error = error.trace(), "location of plug-ins left out");
            }
            let found = FoundPlugins::from_json(&answer["plugins"]);
            running.used.scanned(&found);
            Ok(found)
        })?;
        let all = found.clone();
        for plugin in found.0.iter_mut().filter(|plugin| plugin.kind.is_offered()) {
            match self.describe(plugin, &all) {
                Ok(keys) => plugin.keys = keys,
                Err(error) => {
                    warn!(target: "volley_jvm", class = plugin.class, error = error.trace(), "plug-in without keys");
                }
            }
        }
        Ok(found)
    }

    /// The keys of a plug-in.
    ///
    /// # Errors
    /// Those of the plug-in.
    pub(crate) fn describe(&self, plugin: &FoundPlugin, all: &FoundPlugins) -> Result<Value> {
        let request = json!({ "class": plugin.class, "kind": plugin.kind.name() });
        let answer = self.ask("DESCRIBE", &request, &plugin.location, all, DESCRIBE_LIMIT)?;
        Ok(answer["keys"].clone())
    }

    /// Asks a plug-in at `location`.
    ///
    /// # Errors
    /// Those of the plug-in; if it does not answer in time, for which the process is killed.
    pub(crate) fn ask(
        &self,
        call: &str,
        request: &Value,
        location: &str,
        all: &FoundPlugins,
        limit: Duration,
    ) -> Result<Value> {
        let location = BTreeSet::from([location.to_owned()]);
        self.in_process(|running| {
            running.used.tell(&running.process, all, &location)?;
            running.process.calls().call(call, request.clone(), limit, &|| false)
        })
    }

    /// Runs calls in the process. One that hangs takes the process with it; what else was under way there is done again.
    fn in_process<T>(&self, calls: impl Fn(&Running) -> std::result::Result<T, CallError>) -> Result<T> {
        let mut is_second = false;
        loop {
            let running = self.enter()?;
            let outcome = calls(&running);
            let hangs = matches!(outcome, Err(CallError::Hangs(_)));
            if hangs {
                running.process.kill("a call in it did not return in time");
            }
            self.leave(&running, hangs);
            match outcome {
                Ok(value) => return Ok(value),
                Err(CallError::Ended(_)) if !is_second => is_second = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn enter(&self) -> Result<Arc<Running>> {
        // held while the process starts: others would start one, too
        let mut state = self.shared.0.lock();
        let running = match &state.running {
            Some(running) if running.process.failure().is_none() => Arc::clone(running),
            _ => {
                let process = HostProcess::start(NAME, &*self.launch, self.patience)?;
                let running = Arc::new(Running { process, used: UsedPlugins::default() });
                self.watch(&running)?;
                state.running = Some(Arc::clone(&running));
                running
            }
        };
        state.calls += 1;
        Ok(running)
    }

    fn leave(&self, running: &Arc<Running>, is_killed: bool) {
        let mut state = self.shared.0.lock();
        state.calls -= 1;
        state.last_call = Instant::now();
        let is_current = state.running.as_ref().is_some_and(|current| Arc::ptr_eq(current, running));
        if is_current && (is_killed || running.process.failure().is_some()) {
            state.running = None;
        }
        self.shared.1.notify_all();
    }

    /// Ends the process when it was idle for long enough.
    fn watch(&self, running: &Arc<Running>) -> Result<()> {
        let (shared, running, idle) = (Arc::clone(&self.shared), Arc::clone(running), self.patience.idle);
        let process = Arc::clone(&running.process);
        let spawned = thread::Builder::new().name("java-idle".to_owned()).spawn(move || {
            let (state, changed) = &*shared;
            let mut state = state.lock();
            loop {
                let idle_at = state.last_call + idle;
                if running.process.failure().is_some() {
                    return;
                }
                if state.calls == 0 && Instant::now() >= idle_at {
                    break;
                }
                // a process that dies meanwhile is noticed by the next call, or here at the end of the wait
                let until = if state.calls == 0 { idle_at } else { Instant::now() + idle };
                changed.wait_until(&mut state, until);
            }
            state.running = None;
            drop(state);
            running.process.end();
        });
        spawned.map(drop).map_err(|error| {
            process.kill("no thread was left to watch it");
            Error::fatal("could not start a thread for a Java process").with_source(error)
        })
    }
}

impl Drop for Utility {
    fn drop(&mut self) {
        if let Some(running) = self.shared.0.lock().running.take() {
            running.process.kill("the worker needs it no more");
        }
    }
}
