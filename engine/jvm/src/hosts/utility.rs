//! The processes for calls that belong to no running connector: one for what plug-ins there are and what they say of configurations,
//! and one for config providers, so that no other plug-in takes these with it. Each is started when it is needed; the first ends when
//! it was not for a while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};
use tracing::warn;
use volley_api::{Error, Result};

use super::{HostName, RunningHosts};
use crate::control::CallError;
use crate::discovery::{CLASS_PATH, FoundPlugin, FoundPlugins, UsedPlugins};
use crate::java_error;
use crate::process::{HostProcess, Launch};
use crate::sink_requests::each;

/// For the keys of one plug-in.
const DESCRIBE_LIMIT: Duration = Duration::from_secs(30);
/// For what a plug-in says of a configuration, about which it may ask a system.
pub(crate) const QUESTION_LIMIT: Duration = Duration::from_secs(90);

type Called<T> = std::result::Result<T, CallError>;

/// What a scan has come to.
#[derive(Debug)]
pub(crate) enum Scanned {
    /// Everything was looked at.
    Whole(FoundPlugins),
    /// What crashes or hangs was left out.
    InPart(FoundPlugins),
    /// Something does not suit the way of discovery, which the plug-ins' files have to change for.
    Refused(Error),
}

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

/// A process, if it runs.
pub(crate) struct Utility {
    name: HostName,
    /// How long it may be idle; `None` if for ever.
    idle: Option<Duration>,
    launch: Arc<dyn Launch>,
    hosts: Arc<RunningHosts>,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Utility {
    /// The one for what is asked of plug-ins that do not run.
    pub(crate) fn for_discovery(launch: Arc<dyn Launch>, hosts: Arc<RunningHosts>) -> Self {
        let idle = Some(hosts.patience().idle);
        Self::new(HostName::Discovery, idle, launch, hosts)
    }

    /// The one for config providers.
    pub(crate) fn for_config_providers(launch: Arc<dyn Launch>, hosts: Arc<RunningHosts>) -> Self {
        Self::new(HostName::ConfigProviders, None, launch, hosts)
    }

    fn new(name: HostName, idle: Option<Duration>, launch: Arc<dyn Launch>, hosts: Arc<RunningHosts>) -> Self {
        let state = State { running: None, calls: 0, last_call: Instant::now() };
        Self { name, idle, launch, hosts, shared: Arc::new((Mutex::new(state), Condvar::new())) }
    }

    /// Finds all plug-ins at `locations`, with their keys. Where that crashes or hangs, one plug-in after the other is looked at,
    /// and the one that does is left out.
    ///
    /// # Errors
    /// If there is no process to scan in.
    pub(crate) fn scan(&self, locations: &[String], discovery: &str) -> Result<Scanned> {
        let limit = self.hosts.patience().scan;
        let request = json!({ "locations": locations, "discovery": discovery });
        let whole = self.once(|running| {
            let answer = running.process.calls().call("SCAN", request.clone(), limit, &|| false)?;
            let found = found_in(&answer);
            running.used.scanned(&found);
            Ok(found)
        })?;
        Ok(match whole {
            Ok(found) => Scanned::Whole(self.with_keys(found)),
            Err(CallError::Java(error)) => Scanned::Refused(error),
            Err(CallError::Ended(error) | CallError::Hangs(error)) => {
                let error = error.trace();
                warn!(target: "volley_jvm", error, "the search for plug-ins died: each location is looked at by itself");
                match self.scan_parts(locations, discovery)? {
                    Ok(found) => Scanned::InPart(self.with_keys(found)),
                    Err(error) => Scanned::Refused(error),
                }
            }
        })
    }

    /// Scans each part of the plug-in path by itself. Without those that crash or hang; the inner error is that of the discovery.
    fn scan_parts(&self, locations: &[String], discovery: &str) -> Result<std::result::Result<FoundPlugins, Error>> {
        let request = json!({ "locations": locations });
        let answer = self.in_process(|running| {
            running.process.calls().call("LOCATIONS", request.clone(), DESCRIBE_LIMIT, &|| false)
        })??;
        warn_of_broken(&answer);
        let parts = each(&answer["parts"]).filter_map(Value::as_str);
        let (limit, mut found) = (self.hosts.patience().scan, FoundPlugins::default());
        for part in [CLASS_PATH].into_iter().chain(parts) {
            let request = json!({ "part": part, "discovery": discovery });
            let scanned = self.in_process(|running| {
                // what it scans takes the place of what it used
                running.used.forget();
                running.process.calls().call("SCAN", request.clone(), limit, &|| false)
            })?;
            match scanned {
                Ok(answer) => found.0.extend(found_in(&answer).0),
                Err(CallError::Java(error)) => return Ok(Err(error)),
                Err(CallError::Ended(error) | CallError::Hangs(error)) => left_out(part, &error),
            }
        }
        Ok(Ok(found))
    }

    fn with_keys(&self, mut found: FoundPlugins) -> FoundPlugins {
        let all = found.clone();
        for plugin in found.0.iter_mut().filter(|plugin| plugin.kind.is_offered()) {
            match self.describe(plugin, &all) {
                Ok(keys) => plugin.keys = keys,
                Err(error) => {
                    warn!(target: "volley_jvm", class = plugin.class, error = error.trace(), "plug-in without keys");
                }
            }
        }
        found
    }

    /// The keys of a plug-in.
    ///
    /// # Errors
    /// Those of the plug-in.
    pub(crate) fn describe(&self, plugin: &FoundPlugin, all: &FoundPlugins) -> Result<Value> {
        let mut request = json!({ "class": plugin.class, "kind": plugin.kind.name() });
        if all.0.iter().any(|other| other.is_other_version_of(plugin)) {
            request["version"] = json!(plugin.version);
        }
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
        let answer = self.in_process(|running| {
            running.used.tell(&running.process, all, &location)?;
            running.process.calls().call(call, request.clone(), limit, &|| false)
        })?;
        Ok(answer?)
    }

    /// Tells a plug-in something, if the process runs. What it answers does not count.
    pub(crate) fn tell_if_running(&self, call: &str, request: &Value, limit: Duration) {
        let running = self.shared.0.lock().running.clone();
        if let Some(running) = running
            && let Err(error) = running.process.calls().call(call, request.clone(), limit, &|| false)
        {
            let error = Error::from(error);
            warn!(target: "volley_jvm", call, error = error.trace(), "a plug-in did not take what it was told");
        }
    }

    /// Runs calls in the process; another one's call that hangs may have taken it with it, and then they are made again.
    ///
    /// # Errors
    /// If there is no process. The outcome of the calls is within.
    fn in_process<T>(&self, calls: impl Fn(&Running) -> Called<T>) -> Result<Called<T>> {
        match self.once(&calls)? {
            Err(CallError::Ended(_)) => self.once(calls),
            outcome => Ok(outcome),
        }
    }

    /// Runs calls in the process. One that hangs takes the process with it.
    fn once<T>(&self, calls: impl Fn(&Running) -> Called<T>) -> Result<Called<T>> {
        let running = self.enter()?;
        let outcome = calls(&running);
        let hangs = matches!(outcome, Err(CallError::Hangs(_)));
        if hangs {
            running.process.kill("a call in it did not return in time");
        }
        self.leave(&running, hangs);
        Ok(outcome)
    }

    fn enter(&self) -> Result<Arc<Running>> {
        // held while the process starts: others would start one, too
        let mut state = self.shared.0.lock();
        let running = match &state.running {
            Some(running) if running.process.failure().is_none() => Arc::clone(running),
            _ => {
                let process = self.hosts.start(self.name.clone(), &*self.launch)?;
                let running = Arc::new(Running { process, used: UsedPlugins::default() });
                if let Some(idle) = self.idle {
                    self.watch(&running, idle)?;
                }
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
    fn watch(&self, running: &Arc<Running>, idle: Duration) -> Result<()> {
        let (shared, running) = (Arc::clone(&self.shared), Arc::clone(running));
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

fn found_in(answer: &Value) -> FoundPlugins {
    warn_of_broken(answer);
    FoundPlugins::from_json(&answer["plugins"])
}

fn warn_of_broken(answer: &Value) {
    for broken in each(&answer["broken"]) {
        left_out(broken["location"].as_str().unwrap_or_default(), &java_error::from_json(&broken["error"]));
    }
}

fn left_out(location: &str, error: &Error) {
    warn!(target: "volley_jvm", location, error = error.trace(), "location of plug-ins left out");
}

impl Drop for Utility {
    fn drop(&mut self) {
        if let Some(running) = self.shared.0.lock().running.take() {
            running.process.kill("the worker needs it no more");
        }
    }
}
