//! Kafka's own worker and Volley are asked the same, and must answer the same.
//!
//! The requests stand in `tests/data/rest` and `tests/data/validate_requests.json`; see `script.rs` for their form. Both workers run at the same time, each on
//! topics and connectors of its own; the Java worker's answers are taken live.

mod comparison;
mod conversation;
mod normal_form;
mod script;

use std::fmt::Write;
use std::thread;

use crate::testbed::{Answer, ConnectWorker, Kafka, Mode, Vendor, WorkerProperties};
use crate::testbed::{distributed_properties, standalone_properties};
use comparison::difference;
use conversation::{Names, converse};
use normal_form::{NormalForm, normal_form};
use script::Step;

/// The files of requests, in the order in which they are asked.
const SCRIPTS: [&str; 13] = [
    "validate.http",
    "root.http",
    "bodies.http",
    "missing.http",
    "names.http",
    "create.http",
    "states.http",
    "offsets.http",
    "failures.http",
    "plugins.http",
    "loggers.http",
    "internal.http",
    "finally.http",
];

/// Both workers, and the answers of each in normal form.
fn compare(mode: Mode, properties: impl Fn(&str) -> WorkerProperties) {
    let kafka = Kafka::shared();
    // first, as a Java worker remembers which classes it did not find, and speaks of them otherwise the second time
    let mut steps = script::load_validations();
    steps.extend(script::load(&SCRIPTS));
    let steps: Vec<&Step> = steps.iter().filter(|step| step.only.is_none_or(|only| only == mode)).collect();
    let answers = thread::scope(|scope| {
        let ask = |vendor: Vendor| {
            let names = Names { topics: kafka.unique("rest"), bootstrap_servers: kafka.bootstrap_servers() };
            let properties = properties(&names.topics);
            let steps = &steps;
            scope.spawn(move || {
                let worker = ConnectWorker::start(vendor, mode, &properties);
                std::fs::write(worker.directory().join("lines.txt"), "one\ntwo\nthree\n").unwrap();
                let (answers, in_vain) = converse(&worker, &names, steps);
                (normal_forms(&answers, &worker, &names), in_vain)
            })
        };
        [Vendor::Java, Vendor::Volley]
            .map(ask)
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let [(java, mut in_vain), (volley, in_vain_too)] = answers;
    in_vain.extend(in_vain_too);
    let mut differences = String::new();
    let mut different = 0;
    for ((step, java), volley) in steps.iter().zip(&java).zip(&volley) {
        if let Some(difference) = difference(step, java, volley) {
            different += 1;
            differences.push_str(&difference);
        }
    }
    // for whoever wants to read what the Java worker says
    if let Some(file) = std::env::var_os("VOLLEY_TRANSCRIPT") {
        std::fs::write(file, transcript(&steps, &java)).unwrap();
    }
    assert!(
        in_vain.is_empty() && different == 0,
        "{}\n{different} of {} answers differ:\n{differences}",
        in_vain.join("\n"),
        steps.len()
    );
}

fn normal_forms(answers: &[Answer], worker: &ConnectWorker, names: &Names) -> Vec<NormalForm> {
    answers.iter().map(|answer| normal_form(answer, &worker.address(), names)).collect()
}

fn transcript(steps: &[&Step], answers: &[NormalForm]) -> String {
    let mut text = String::new();
    for (step, answer) in steps.iter().zip(answers) {
        writeln!(
            text,
            "{} {} {}\n  {} {:?}\n  {}",
            step.place, step.method, step.target, answer.status, answer.headers, answer.body
        )
        .unwrap();
    }
    text
}

#[test]
fn a_standalone_worker_answers_as_the_java_worker_does() {
    let kafka = Kafka::shared();
    compare(Mode::Standalone, |_| standalone_properties(&kafka.bootstrap_servers()));
}

#[test]
fn a_distributed_worker_answers_as_the_java_worker_does() {
    let kafka = Kafka::shared();
    compare(Mode::Distributed, |group| distributed_properties(kafka, group));
}
