//! What a group of workers of one vendor needs for many connectors.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, WorkerProperties, distributed_properties};

/// Ticks of `/proc/<pid>/stat` in a second: fixed by Linux's interface to programs.
const TICKS_PER_SECOND: f64 = 100.0;
const STARTS: usize = 5;
const QUERIES: usize = 20;
const PATIENCE: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_millis(2);
const LOOK_AT_ALL_EVERY: Duration = Duration::from_millis(200);
const SETTLE: Duration = Duration::from_secs(10);
/// Time-outs as they are by default, where the test bed's are short.
const DEFAULTS: [&str; 5] = [
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "rebalance.timeout.ms",
    "scheduled.rebalance.max.delay.ms",
    "offset.flush.interval.ms",
];

/// What the group has to carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connectors: usize,
    pub(crate) workers: usize,
    pub(crate) rest_seconds: u64,
}

/// The figures of one vendor.
#[derive(Clone, Debug)]
pub(crate) struct GroupMeasurement {
    pub(crate) vendor: Vendor,
    /// From the start of a worker's process until it has its first assignment; without connectors, the median of several.
    pub(crate) start: Duration,
    /// From the first `POST /connectors` until all connectors and tasks are RUNNING.
    pub(crate) created: Duration,
    /// From the start of the processes until all connectors and tasks that were there before are RUNNING.
    pub(crate) resumed: Duration,
    /// `GET /connectors?expand=status`; the median of several.
    pub(crate) status_query: Duration,
    /// How long a connector or task did not run because another worker joined: median and longest of those that moved.
    pub(crate) pause: Duration,
    pub(crate) longest_pause: Duration,
    pub(crate) moved: usize,
    /// From the start of the joining worker's process until everything is RUNNING, part of it there.
    pub(crate) joined: Duration,
    /// Resident memory of a worker with its share of the connectors; the highest of the workers.
    pub(crate) resident_bytes: u64,
    /// Of the same, what is no page of a file.
    pub(crate) anonymous_bytes: u64,
    /// CPU time of a worker with its share at rest, in thousandths of a core; the mean of the workers.
    pub(crate) idle_millicores: f64,
}

impl GroupMeasurement {
    /// Measures workers of `vendor`. Takes minutes.
    pub(crate) fn take(kafka: &Kafka, vendor: Vendor, load: &Load) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let empty = directory.path().join("empty.txt");
        fs::write(&empty, "")?;
        let mut group = Group::new(kafka, vendor);
        say(vendor, "starting a worker without connectors");
        let start = median((0..STARTS).map(|_| group.start_and_stop_one()).collect::<Result<_>>()?);
        say(vendor, &format!("creating {} connectors in a group of {}", load.connectors, load.workers));
        group.add(load.workers)?;
        let created = group.create(load.connectors, &empty)?;
        thread::sleep(SETTLE);
        say(vendor, "asking for all statuses, and looking at the workers at rest");
        let status_query = median((0..QUERIES).map(|_| group.query_statuses()).collect::<Result<_>>()?);
        let resident_bytes = group.highest("VmRSS")?;
        let anonymous_bytes = group.highest("RssAnon")?;
        let idle_millicores = group.idle_millicores(load.rest_seconds)?;
        say(vendor, "adding a worker");
        let (joined, pauses) = group.join_one(load.connectors)?;
        ensure!(!pauses.is_empty(), "nothing has moved to the worker that joined");
        say(vendor, "starting all workers anew");
        let resumed = group.start_anew(load)?;
        Ok(Self {
            vendor,
            start,
            created,
            resumed,
            status_query,
            pause: median(pauses.clone()),
            longest_pause: pauses.iter().max().copied().unwrap_or_default(),
            moved: pauses.len(),
            joined,
            resident_bytes,
            anonymous_bytes,
            idle_millicores,
        })
    }
}

/// Running workers on the same properties.
struct Group<'a> {
    kafka: &'a Kafka,
    id: String,
    vendor: Vendor,
    properties: WorkerProperties,
    workers: Vec<ConnectWorker>,
}

impl<'a> Group<'a> {
    fn new(kafka: &'a Kafka, vendor: Vendor) -> Self {
        let id = kafka.unique("scale");
        let mut properties = distributed_properties(kafka, &id);
        properties.retain(|(key, _)| !DEFAULTS.contains(key));
        Self { kafka, id, vendor, properties, workers: Vec::new() }
    }

    fn launch(&self) -> ConnectWorker {
        ConnectWorker::launch_as_distributed(self.vendor, Mode::Distributed, &self.properties)
    }

    /// A worker that has the group for itself, until it is healthy: then it has joined.
    fn start_and_stop_one(&self) -> Result<Duration> {
        let started = Instant::now();
        let mut worker = self.launch();
        await_healthy(&worker)?;
        let elapsed = started.elapsed();
        worker.stop();
        Ok(elapsed)
    }

    fn add(&mut self, workers: usize) -> Result<()> {
        let first = self.workers.len();
        let launched: Vec<_> = (0..workers).map(|_| self.launch()).collect();
        self.workers.extend(launched);
        self.workers[first..].iter().try_for_each(await_healthy)
    }

    /// Creates connectors one after the other, each through another worker.
    fn create(&self, connectors: usize, empty: &Path) -> Result<Duration> {
        let started = Instant::now();
        for number in 0..connectors {
            let config = json!({
                "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
                "file": empty,
                "topic": format!("{}-lines", self.id),
            });
            let body = json!({"name": format!("connector-{number}"), "config": config});
            let worker = &self.workers[number % self.workers.len()];
            loop {
                let answer =
                    worker.try_ask("POST", "/connectors", Some(&body)).context("the worker does not answer")?;
                match (answer.status, answer.text()) {
                    (201, _) => break,
                    // an earlier attempt, given up while a rebalance was under way, has come through
                    (409, text) if text.contains("already exists") => break,
                    (409 | 500, _) if started.elapsed() < PATIENCE => thread::sleep(LOOK_EVERY),
                    (status, text) => bail!("connector-{number} is not created: {status} {text}"),
                }
            }
        }
        self.await_all(started, connectors, None)
    }

    /// Waits until all connectors and tasks are RUNNING, on workers that are there, and one of them at least at `at`.
    fn await_all(&self, started: Instant, connectors: usize, at: Option<&str>) -> Result<Duration> {
        let addresses: Vec<String> = self.workers.iter().map(ConnectWorker::address).collect();
        loop {
            let statuses = self.workers[0].try_ask("GET", "/connectors?expand=status", None);
            let statuses = statuses.context("the worker does not answer")?.json();
            let owners = running_owners(&statuses);
            let elapsed = started.elapsed();
            let all = owners.len() == 2 * connectors && owners.iter().all(|owner| addresses.contains(owner));
            if all && at.is_none_or(|at| owners.iter().any(|owner| owner == at)) {
                return Ok(elapsed);
            }
            if elapsed > PATIENCE {
                bail!("only {} of {} connectors and tasks are RUNNING", owners.len(), 2 * connectors);
            }
            thread::sleep(LOOK_AT_ALL_EVERY);
        }
    }

    fn query_statuses(&self) -> Result<Duration> {
        let started = Instant::now();
        let answer = self.workers[0].try_ask("GET", "/connectors?expand=status", None);
        let elapsed = started.elapsed();
        ensure!(answer.is_some_and(|answer| answer.status == 200), "the statuses are not answered");
        Ok(elapsed)
    }

    fn highest(&self, line: &str) -> Result<u64> {
        let all: Result<Vec<u64>> = self.workers.iter().map(|worker| memory(worker.pid(), line)).collect();
        Ok(all?.into_iter().max().unwrap_or_default())
    }

    fn idle_millicores(&self, seconds: u64) -> Result<f64> {
        let ticks = || self.workers.iter().map(|worker| cpu_ticks(worker.pid())).sum::<Result<u64>>();
        let (before, started) = (ticks()?, Instant::now());
        thread::sleep(Duration::from_secs(seconds));
        let used = (ticks()? - before) as f64 / TICKS_PER_SECOND;
        Ok(used / started.elapsed().as_secs_f64() / self.workers.len() as f64 * 1e3)
    }

    /// Adds a worker; how long until all is balanced, and how long each part that moved did not run.
    fn join_one(&mut self, connectors: usize) -> Result<(Duration, Vec<Duration>)> {
        let before = self.statuses().len();
        let started = Instant::now();
        let worker = self.launch();
        let address = worker.address();
        self.workers.push(worker);
        let joined = self.await_all(started, connectors, Some(&address))?;
        Ok((joined, pauses(&self.statuses()[before..])))
    }

    /// Stops all, and starts as many as at first: all connectors are there already.
    fn start_anew(&mut self, load: &Load) -> Result<Duration> {
        self.workers.iter().for_each(ConnectWorker::terminate);
        self.workers.iter_mut().for_each(|worker| {
            worker.stop();
        });
        self.workers.truncate(load.workers);
        let started = Instant::now();
        self.workers.iter_mut().for_each(ConnectWorker::launch_again);
        self.workers.iter().try_for_each(await_healthy)?;
        self.await_all(started, load.connectors, None)
    }

    /// The records of the status topic, by time.
    fn statuses(&self) -> Vec<StatusRecord> {
        let messages = self.kafka.read_topic(&format!("{}-status", self.id));
        let mut records: Vec<_> = messages
            .into_iter()
            .filter_map(|message| {
                let value: Value = serde_json::from_slice(message.value.as_ref()?).ok()?;
                Some(StatusRecord {
                    key: String::from_utf8(message.key?).ok()?,
                    time: message.timestamp,
                    state: value["state"].as_str()?.to_owned(),
                })
            })
            .collect();
        records.sort_by_key(|record| record.time);
        records
    }
}

struct StatusRecord {
    key: String,
    time: i64,
    state: String,
}

/// From UNASSIGNED to RUNNING, for each connector and task that was taken away from a worker.
fn pauses(records: &[StatusRecord]) -> Vec<Duration> {
    let mut taken = BTreeMap::new();
    let mut pauses = Vec::new();
    for record in records {
        match record.state.as_str() {
            "UNASSIGNED" => {
                taken.insert(&record.key, record.time);
            }
            "RUNNING" => {
                if let Some(since) = taken.remove(&record.key) {
                    pauses.push(Duration::from_millis((record.time - since).max(0).unsigned_abs()));
                }
            }
            _ => {}
        }
    }
    pauses
}

/// The worker of each connector and task that is RUNNING.
fn running_owners(statuses: &Value) -> Vec<String> {
    let mut owners = Vec::new();
    for connector in statuses.as_object().into_iter().flat_map(serde_json::Map::values) {
        let status = &connector["status"];
        let tasks = status["tasks"].as_array().into_iter().flatten();
        for part in tasks.chain([&status["connector"]]) {
            if part["state"] == "RUNNING" {
                owners.push(part["worker_id"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    owners
}

fn await_healthy(worker: &ConnectWorker) -> Result<()> {
    let started = Instant::now();
    while worker.try_ask("GET", "/health", None).is_none_or(|answer| answer.status != 200) {
        ensure!(started.elapsed() < PATIENCE, "a worker does not become healthy:\n{}", worker.log());
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// A line of `/proc/<pid>/status` that counts memory, in bytes.
fn memory(pid: u32, line: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = value.and_then(|value| value.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("the process has no {line}"))? * 1024)
}

/// User and system time of a process.
fn cpu_ticks(pid: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // the second field, the program's name, may contain blanks; it ends with the last bracket
    let (_, fields) = stat.rsplit_once(')').context("/proc/<pid>/stat has another form")?;
    let ticks: Vec<u64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    ensure!(ticks.len() == 2, "/proc/<pid>/stat has no times");
    Ok(ticks.iter().sum())
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

fn say(vendor: Vendor, what: &str) {
    eprintln!("scale: {vendor:?}: {what}");
}
