//! The processes of connectors: one for each connector on this worker, in which its instance and its tasks run.
//!
//! A process in which a call hangs for ever takes nothing new: what starts next starts in a fresh one. It is killed as soon as
//! nothing healthy is left in it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::thread;

use parking_lot::Mutex;
use volley_api::{Error, Result};

use crate::control::CallError;
use crate::discovery::{FoundPlugins, UsedPlugins};
use crate::process::{HostProcess, Launch, Patience};

/// What somebody needs who enters a process.
pub(crate) struct Wanted<'a> {
    pub(crate) connector: &'a str,
    pub(crate) heap: &'a str,
    pub(crate) launch: &'a dyn Launch,
    pub(crate) plugins: &'a FoundPlugins,
    /// Where its plug-ins are.
    pub(crate) locations: &'a BTreeSet<String>,
}

#[derive(Debug)]
struct Members {
    healthy: usize,
    /// Nobody may enter any more.
    is_closed: bool,
}

/// A process, and who is in it.
#[derive(Debug)]
struct Generation {
    process: Arc<HostProcess>,
    heap: String,
    members: Mutex<Members>,
    used: UsedPlugins,
}

type Slot = Arc<Mutex<Weak<Generation>>>;

/// The processes of all connectors.
#[derive(Debug)]
pub(crate) struct ConnectorProcesses {
    patience: Patience,
    slots: Mutex<HashMap<String, Slot>>,
}

impl ConnectorProcesses {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, slots: Mutex::default() }
    }

    /// A place in the process of a connector, which is started where there is none that may be entered.
    ///
    /// # Errors
    /// If it cannot be started, or cannot use the plug-ins.
    pub(crate) fn enter(&self, wanted: &Wanted<'_>) -> Result<Occupant> {
        let slot = Arc::clone(self.slots.lock().entry(wanted.connector.to_owned()).or_default());
        let occupant = {
            // held while the process starts: its first instance and tasks come at about the same time
            let mut current = slot.lock();
            match current.upgrade().and_then(|generation| generation.enter(wanted.heap)) {
                Some(occupant) => occupant,
                None => {
                    let occupant = self.start(wanted)?;
                    *current = Arc::downgrade(&occupant.generation);
                    occupant
                }
            }
        };
        match occupant.generation.used.tell(&occupant.generation.process, wanted.plugins, wanted.locations) {
            Ok(()) => Ok(occupant),
            Err(CallError::Hangs(error)) => {
                occupant.abandon();
                Err(error)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn start(&self, wanted: &Wanted<'_>) -> Result<Occupant> {
        let name = format!("connector `{}`", wanted.connector);
        let process = HostProcess::start(&name, wanted.launch, self.patience)?;
        let generation = Generation {
            process,
            heap: wanted.heap.to_owned(),
            members: Mutex::new(Members { healthy: 1, is_closed: false }),
            used: UsedPlugins::default(),
        };
        Ok(Occupant { generation: Arc::new(generation), is_abandoned: false })
    }
}

impl Generation {
    fn enter(self: Arc<Self>, heap: &str) -> Option<Occupant> {
        {
            let mut members = self.members.lock();
            if members.is_closed || self.heap != heap || self.process.failure().is_some() {
                return None;
            }
            members.healthy += 1;
        }
        Some(Occupant { generation: self, is_abandoned: false })
    }

    fn leave(&self, is_abandoned: bool) {
        let mut members = self.members.lock();
        members.healthy -= 1;
        let is_empty = members.healthy == 0;
        let had_abandoned = members.is_closed;
        members.is_closed |= is_abandoned || is_empty;
        drop(members);
        if !is_empty {
            return;
        }
        if is_abandoned || had_abandoned {
            return self.process.kill("something in it did not return and was given up");
        }
        let process = Arc::clone(&self.process);
        if thread::Builder::new().name("java-end".to_owned()).spawn(move || process.end()).is_err() {
            self.process.kill("no thread was left to end it in order");
        }
    }
}

/// A place in a process: of an instance, or of a task. The process ends after its last one.
#[derive(Debug)]
pub(crate) struct Occupant {
    generation: Arc<Generation>,
    is_abandoned: bool,
}

impl Occupant {
    pub(crate) fn process(&self) -> &Arc<HostProcess> {
        &self.generation.process
    }

    /// Leaves something behind in the process that hangs: nothing new goes there.
    pub(crate) fn abandon(mut self) {
        self.is_abandoned = true;
    }

    /// What became of a call of this occupant that failed.
    pub(crate) fn failed(self, error: CallError) -> (Option<Self>, Error) {
        match error {
            CallError::Java(error) => (Some(self), error),
            CallError::Ended(error) => (None, error),
            CallError::Hangs(error) => {
                self.abandon();
                (None, error)
            }
        }
    }
}

impl Drop for Occupant {
    fn drop(&mut self) {
        self.generation.leave(self.is_abandoned);
    }
}
