//! Connect workers, Java's and Volley's, in one group, and what their connectors must have done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, WorkerProperties, distributed_properties, wait_until};

/// Longer than any rebalance, failure detection included.
pub(crate) const SOON: Duration = Duration::from_secs(150);

/// Workers on the same properties.
pub(crate) struct WorkerGroup {
    properties: WorkerProperties,
    workers: Vec<ConnectWorker>,
}

/// Who runs a connector and its tasks, by worker id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    pub(crate) connector: String,
    pub(crate) tasks: BTreeMap<u64, String>,
}

impl WorkerGroup {
    /// A group without workers.
    pub(crate) fn new(kafka: &Kafka, stem: &str) -> Self {
        Self::with(kafka, stem, &[])
    }

    /// The same, whose workers have these properties too.
    pub(crate) fn with(kafka: &Kafka, stem: &str, more: &[(&'static str, &str)]) -> Self {
        let mut properties = distributed_properties(kafka, &kafka.unique(stem));
        properties.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        Self { properties, workers: Vec::new() }
    }

    /// Starts workers at the same time and waits until all are ready; where they stand in the group.
    pub(crate) fn add(&mut self, vendors: &[Vendor]) -> Vec<usize> {
        let first = self.workers.len();
        self.workers
            .extend(vendors.iter().map(|&vendor| ConnectWorker::launch(vendor, Mode::Distributed, &self.properties)));
        self.workers[first..].iter().for_each(ConnectWorker::await_ready);
        (first..self.workers.len()).collect()
    }

    pub(crate) fn worker(&self, index: usize) -> &ConnectWorker {
        &self.workers[index]
    }

    /// The name that the group has at the broker, after which its internal topics are named.
    pub(crate) fn id(&self) -> &str {
        self.properties
            .iter()
            .find(|(key, _)| *key == "group.id")
            .map(|(_, id)| id.as_str())
            .expect("it has a group.id")
    }

    /// Those that run.
    pub(crate) fn running(&self) -> impl Iterator<Item = &ConnectWorker> {
        self.workers.iter().filter(|worker| worker.is_running())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, index: usize) {
        self.workers[index].kill();
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(&mut self, index: usize) {
        self.workers[index].stop();
    }

    /// SIGTERM to all that run, and waits for their end.
    pub(crate) fn stop_all(&mut self) {
        self.running().for_each(ConnectWorker::terminate);
        for worker in &mut self.workers {
            if worker.is_running() {
                worker.stop();
            }
        }
    }

    /// Starts one again that was stopped or killed.
    pub(crate) fn start_again(&mut self, index: usize) {
        self.workers[index].launch_again();
        self.workers[index].await_ready();
    }

    /// Asks one of the workers, again while the group is between two states; what it says in the end.
    pub(crate) fn ask(&self, index: usize, method: &str, target: &str, body: Option<&Value>) -> Value {
        let mut last = None;
        let deadline = std::time::Instant::now() + SOON;
        while std::time::Instant::now() < deadline {
            let answer = self.workers[index].try_ask(method, target, body);
            match answer {
                Some(answer) if answer.status < 300 => return answer.json(),
                other => last = other,
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let said = last.map(|answer| (answer.status, answer.text()));
        panic!("{method} {target} by {}: {said:?}", self.workers[index].address());
    }

    /// Creates or changes a connector through one of the workers.
    pub(crate) fn put(&self, index: usize, name: &str, config: &Value) {
        self.ask(index, "PUT", &format!("/connectors/{name}/config"), Some(config));
    }

    /// Waits until a connector and this many tasks are in `state`, on workers that run, by the account of each of them.
    pub(crate) fn await_state(&self, name: &str, state: &str, tasks: usize) -> Owners {
        let addresses: BTreeSet<String> = self.running().map(ConnectWorker::address).collect();
        let mut seen = Vec::new();
        let deadline = std::time::Instant::now() + SOON;
        loop {
            seen.clear();
            seen.extend(self.running().map(|worker| {
                let answer = worker.try_ask("GET", &format!("/connectors/{name}/status"), None);
                answer.map(|answer| answer.json()).unwrap_or_default()
            }));
            let same = seen.windows(2).all(|pair| pair[0] == pair[1]);
            if same && let Some(owners) = seen.first().and_then(|status| owners_in_state(status, state, tasks)) {
                let all = owners.tasks.values().chain([&owners.connector]);
                if all.into_iter().all(|owner| addresses.contains(owner)) {
                    return owners;
                }
            }
            assert!(std::time::Instant::now() < deadline, "{name} is not {state} with {tasks} tasks: {seen:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Records of a Verifiable connector that stand in the workers' standard output, of all their lives.
    pub(crate) fn printed(&self, name: &str) -> Vec<Value> {
        let lines = self.workers.iter().flat_map(ConnectWorker::stdout_lines);
        lines
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .filter(|record| record["name"] == name)
            .collect()
    }

    /// Waits until `more` further records of a Verifiable source are acknowledged.
    pub(crate) fn await_more(&self, name: &str, more: usize) {
        let name = format!("\"name\":\"{name}\"");
        let mut read: Vec<u64> = self.workers.iter().map(ConnectWorker::stdout_length).collect();
        let mut count = 0;
        wait_until(SOON, &format!("{more} more records of {name} are acknowledged"), || {
            for (worker, read) in self.workers.iter().zip(&mut read) {
                let text = worker.stdout_from(*read);
                *read += text.len() as u64;
                count +=
                    text.lines().filter(|line| line.contains("\"committed\":true") && line.contains(&name)).count();
            }
            (count >= more).then_some(())
        });
    }

    /// The worker that leads, by the logs of those that run.
    pub(crate) fn leader(&self) -> Option<String> {
        let newest = self.running().filter_map(last_assignment).max()?;
        newest.1
    }

    /// Waits until one of these workers leads.
    pub(crate) fn await_leader(&self, among: &[usize]) {
        let addresses: Vec<String> = among.iter().map(|&index| self.workers[index].address()).collect();
        wait_until(SOON, &format!("one of {addresses:?} leads"), || {
            self.leader().filter(|leader| addresses.contains(leader))
        });
    }
}

/// The generation of the last assignment in a worker's log, and the leader if it says who that is.
fn last_assignment(worker: &ConnectWorker) -> Option<(u64, Option<String>)> {
    let log = worker.log();
    let line = log.lines().rfind(|line| line.contains("Joined group") && line.contains("generation"))?;
    let generation = line.split("generation").nth(1)?.trim_start_matches([' ', '=']).split(' ').next()?.parse().ok()?;
    let leader = match worker.vendor() {
        Vendor::Java => line.split("leaderUrl='http://").nth(1)?.split('/').next().map(str::to_owned),
        // it says whether it is the one
        Vendor::Volley => line.contains("is_leader=true").then(|| worker.address()),
    };
    Some((generation, leader))
}

fn owners_in_state(status: &Value, state: &str, tasks: usize) -> Option<Owners> {
    let mut owners = Owners::default();
    let owner =
        |part: &Value| (part["state"] == state).then(|| part["worker_id"].as_str().map(str::to_owned)).flatten();
    owners.connector = owner(&status["connector"])?;
    for task in status["tasks"].as_array()? {
        owners.tasks.insert(task["id"].as_u64()?, owner(task)?);
    }
    (owners.tasks.len() == tasks).then_some(owners)
}

/// A Verifiable source with this number of tasks and messages a second for each.
pub(crate) fn verifiable_source(topic: &str, tasks: usize, throughput: usize) -> Value {
    json!({
        "connector.class": "org.apache.kafka.connect.tools.VerifiableSourceConnector",
        "topic": topic,
        "tasks.max": tasks.to_string(),
        "throughput": throughput.to_string(),
    })
}

/// The sequence numbers that stand in a topic, by task of the Verifiable source, in the order of the topic.
pub(crate) fn sequences(kafka: &Kafka, topic: &str) -> BTreeMap<u64, Vec<u64>> {
    let mut sequences = BTreeMap::<u64, Vec<u64>>::new();
    for message in kafka.read_topic(topic) {
        let number = |bytes: &Option<Vec<u8>>| {
            let value: Value = serde_json::from_slice(bytes.as_ref().expect("it is not null")).unwrap();
            value["payload"].as_u64().unwrap()
        };
        sequences.entry(number(&message.key)).or_default().push(number(&message.value));
    }
    sequences
}

/// Every number from 0 to the last is there.
pub(crate) fn assert_no_gap(sequences: &BTreeMap<u64, Vec<u64>>) {
    assert!(!sequences.is_empty(), "there are no records");
    for (task, numbers) in sequences {
        let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
        let missing: Vec<u64> =
            (0..distinct.last().map_or(0, |last| last + 1)).filter(|n| !distinct.contains(n)).collect();
        assert!(missing.is_empty(), "task {task}: {} numbers are missing: {missing:?}", missing.len());
    }
}

/// Every number is there once, and in order.
pub(crate) fn assert_no_gap_and_no_repeat(sequences: &BTreeMap<u64, Vec<u64>>) {
    assert_no_gap(sequences);
    for (task, numbers) in sequences {
        let out_of_place = numbers.windows(2).position(|pair| pair[1] != pair[0] + 1);
        assert!(
            out_of_place.is_none(),
            "task {task}: repeated or out of order: {:?}",
            out_of_place.map(|at| &numbers[at.saturating_sub(3)..numbers.len().min(at + 30)])
        );
    }
}
