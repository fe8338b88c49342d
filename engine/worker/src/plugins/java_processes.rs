//! The processes in which plug-ins in Java run beside the worker.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Tells the heaps that the connectors of a group ask for.
pub type HeapsOfGroup = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// The Java processes of a worker. None of its calls starts one.
pub trait JavaProcesses: Send + Sync {
    /// Gives a level, in upper case, to all loggers whose names begin so, in the processes that run and in those that start later.
    /// MUST NOT wait for them.
    fn set_log_level(&self, logger: &str, level: &str);

    /// Those that run. MUST NOT wait for them.
    fn running(&self) -> Vec<JavaProcess>;

    /// What plug-ins count and measure themselves. A process that does not tell it within a moment is left out.
    fn numbers(&self) -> Vec<JavaNumber>;

    /// From now on a process of a group of connectors starts with the largest of the heaps that this tells, if that is more than
    /// what the connector asks for that starts it.
    fn ask_for_heaps_of_groups(&self, heaps: HeapsOfGroup);
}

/// A Java process of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaProcess {
    /// `connector:NAME`, `group:NAME`, or `discovery` for the one that looks for plug-ins and validates.
    #[serde(rename = "process")]
    pub name: String,
    /// The connectors that have an instance or tasks in it.
    pub connectors: Vec<String>,
    /// Process id.
    pub pid: u32,
    /// Memory that it occupies; `None` where the system does not tell.
    pub resident_bytes: Option<u64>,
    /// Heap in use, garbage included.
    pub heap_used_bytes: u64,
    /// The most that its heap may be.
    pub heap_max_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Processor time that it has used, ms.
    pub cpu_ms: u64,
    /// Time that it has collected garbage for, ms.
    pub gc_ms: u64,
}

/// A number of a plug-in in Java.
#[derive(Clone, Debug, PartialEq)]
pub struct JavaNumber {
    /// Its name, in any characters.
    pub name: String,
    /// Labels: names in any characters, and texts.
    pub labels: Vec<(String, String)>,
    /// The number.
    pub value: f64,
}
