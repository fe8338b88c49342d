//! The processes of connectors: one for each connector or group of them on this worker, in which instances and tasks run.
//!
//! A process in which a call hangs for ever takes nothing new: what starts next starts in a fresh one, and the instance of the
//! one connector in it moves there. It is killed as soon as nothing healthy is left in it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::thread;

use parking_lot::Mutex;
use volley_api::{Error, Result};

use super::{HostName, RunningHosts};
use crate::control::CallError;
use crate::discovery::{FoundPlugins, UsedPlugins};
use crate::process::{HostProcess, Launch};

/// How a process comes to its heap.
pub(crate) struct Heap<'a> {
    /// The one that the connector asks for. A process of its own that has another is not entered.
    pub(crate) own: &'a str,
    /// Makes the start of a process of that name.
    pub(crate) launch: &'a dyn Fn(&HostName) -> Arc<dyn Launch>,
}

/// What somebody needs who enters a process.
pub(crate) struct Wanted<'a> {
    pub(crate) name: HostName,
    pub(crate) heap: &'a Heap<'a>,
    pub(crate) plugins: &'a FoundPlugins,
    /// Where its plug-ins are.
    pub(crate) locations: &'a BTreeSet<String>,
}

/// Who can go on in a fresh process.
pub(crate) trait Movable: Send + Sync {
    /// Leaves the process that it is in for a fresh one. It may take long.
    fn move_on(self: Arc<Self>);
}

#[derive(Debug)]
struct Members {
    healthy: usize,
    /// Nobody may enter any more.
    is_closed: bool,
    /// Of the healthy ones.
    movable: Vec<Weak<dyn Movable>>,
    /// Whether one of them has been given up, and does not know yet.
    given_up: Vec<Weak<IsGivenUp>>,
}

/// Says whether somebody has been given up by the worker.
pub(crate) type IsGivenUp = dyn Fn() -> bool + Send + Sync;

/// A process, and who is in it.
#[derive(Debug)]
struct Generation {
    process: Arc<HostProcess>,
    /// `None` where all heaps are as good: those of a group.
    heap: Option<String>,
    members: Mutex<Members>,
    used: UsedPlugins,
}

type Slot = Arc<Mutex<Weak<Generation>>>;

/// The processes of all connectors.
#[derive(Debug)]
pub(crate) struct ConnectorProcesses {
    hosts: Arc<RunningHosts>,
    slots: Mutex<HashMap<HostName, Slot>>,
}

impl ConnectorProcesses {
    pub(crate) fn new(hosts: Arc<RunningHosts>) -> Self {
        Self { hosts, slots: Mutex::default() }
    }

    /// A place in the process of a connector, which is started where there is none that may be entered.
    ///
    /// # Errors
    /// If it cannot be started, or cannot use the plug-ins.
    pub(crate) fn enter(&self, wanted: &Wanted<'_>) -> Result<Occupant> {
        let slot = Arc::clone(self.slots.lock().entry(wanted.name.clone()).or_default());
        let occupant = {
            // held while the process starts: its first instance and tasks come at about the same time
            let mut current = slot.lock();
            match current.upgrade().and_then(|generation| generation.enter(wanted.heap.own)) {
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
        let launch = (wanted.heap.launch)(&wanted.name);
        let process = self.hosts.start(wanted.name.clone(), &*launch)?;
        let generation = Generation {
            process,
            heap: matches!(wanted.name, HostName::Connector(_)).then(|| wanted.heap.own.to_owned()),
            members: Mutex::new(Members { healthy: 1, is_closed: false, movable: Vec::new(), given_up: Vec::new() }),
            used: UsedPlugins::default(),
        };
        Ok(Occupant { generation: Arc::new(generation), is_abandoned: false })
    }
}

impl Generation {
    fn enter(self: Arc<Self>, heap: &str) -> Option<Occupant> {
        {
            let mut members = self.members.lock();
            let is_given_up = |is_given_up: &Weak<IsGivenUp>| is_given_up.upgrade().is_some_and(|is| is());
            members.is_closed |= members.given_up.iter().any(is_given_up);
            let is_fit = self.heap.as_ref().is_none_or(|own| own == heap);
            if members.is_closed || !is_fit || self.process.failure().is_some() {
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
        // those of a group have tasks here that go on, and belong beside these
        let moves = is_abandoned && self.heap.is_some();
        let movable = if moves { std::mem::take(&mut members.movable) } else { Vec::new() };
        drop(members);
        if !is_empty {
            return movable.into_iter().for_each(|movable| self.have_moved(movable));
        }
        if is_abandoned || had_abandoned {
            return self.process.kill("something in it did not return and was given up");
        }
        let process = Arc::clone(&self.process);
        if thread::Builder::new().name("java-end".to_owned()).spawn(move || process.end()).is_err() {
            self.process.kill("no thread was left to end it in order");
        }
    }

    fn have_moved(&self, movable: Weak<dyn Movable>) {
        let move_on = move || {
            if let Some(movable) = movable.upgrade() {
                movable.move_on();
            }
        };
        if thread::Builder::new().name("java-move".to_owned()).spawn(move_on).is_err() {
            self.process.kill("something in it did not return, and no thread was left to move the others");
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

    /// Nobody enters the process once its owner has been given up, even before that is noticed by the call that hangs.
    pub(crate) fn watch(&self, is_given_up: &Arc<IsGivenUp>) {
        let mut members = self.generation.members.lock();
        members.given_up.retain(|earlier| earlier.strong_count() > 0);
        members.given_up.push(Arc::downgrade(is_given_up));
    }

    /// Its owner goes on in a fresh process where something of another is left behind in this one.
    pub(crate) fn moves(&self, owner: &Arc<dyn Movable>) {
        let mut members = self.generation.members.lock();
        if members.is_closed && self.generation.heap.is_some() {
            drop(members);
            return self.generation.have_moved(Arc::downgrade(owner));
        }
        members.movable.push(Arc::downgrade(owner));
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
