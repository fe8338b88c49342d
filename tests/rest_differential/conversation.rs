//! One worker goes through the list of requests.

use std::thread;
use std::time::{Duration, Instant};

use super::script::Step;
use crate::testbed::{Answer, ConnectWorker, send};

/// How long a step may ask again.
const PATIENCE: Duration = Duration::from_secs(90);
/// Characters shown of an answer.
const SHOWN: usize = 1_000;
/// Longer than it takes a status to be written and read back.
const A_WHILE: Duration = Duration::from_millis(500);
const BETWEEN: Duration = Duration::from_millis(50);

/// What stands for `$T` and `$B` in a request of this worker.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) topics: String,
    pub(super) bootstrap_servers: String,
}

impl Names {
    fn fill(&self, text: &str) -> String {
        text.replace("$T", &self.topics).replace("$B", &self.bootstrap_servers)
    }
}

/// Sends all steps; their answers, in order, and what was waited for in vain.
///
/// # Panics
/// If the worker does not answer at all.
pub(super) fn converse(worker: &ConnectWorker, names: &Names, steps: &[&Step]) -> (Vec<Answer>, Vec<String>) {
    let mut answers = Vec::new();
    let mut in_vain = Vec::new();
    for step in steps {
        // one that hangs mostly makes the next ones hang: no need to see them all
        let patience = if in_vain.is_empty() { PATIENCE } else { PATIENCE / 10 };
        match settle(worker, names, step, patience) {
            Ok(answer) => answers.push(answer),
            Err(answer) => {
                let (vendor, Step { place, method, target, .. }) = (worker.vendor(), step);
                let text: String = answer.text().chars().take(SHOWN).collect();
                in_vain
                    .push(format!("{place}: {vendor:?} still answers {method} {target} with {} {text}", answer.status));
                answers.push(answer);
            }
        }
    }
    (answers, in_vain)
}

/// The answer to a step, asked again while the worker is between two states. The last one if it does not settle.
fn settle(worker: &ConnectWorker, names: &Names, step: &Step, patience: Duration) -> Result<Answer, Answer> {
    let deadline = Instant::now() + patience;
    let mut holds_since = None;
    loop {
        let answer = ask(worker, names, step);
        let holds = match &step.until {
            Some(condition) => condition.holds(&answer, &names.topics),
            None => step.once || !is_momentary(&answer),
        };
        holds_since = holds.then(|| holds_since.unwrap_or_else(Instant::now));
        if holds_since.is_some_and(|since| !step.settles || since.elapsed() >= A_WHILE) {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(answer);
        }
        thread::sleep(BETWEEN);
    }
}

/// Whether a rebalance is under way, and the answer says nothing else. Java says so with 409, and in a short while between
/// two configurations with 500.
fn is_momentary(answer: &Answer) -> bool {
    let text = answer.text();
    (answer.status == 409 && text.contains("momentarily")) || text.contains("because a rebalance is expected")
}

fn ask(worker: &ConnectWorker, names: &Names, step: &Step) -> Answer {
    let body = step.body.as_ref().map(|body| match std::str::from_utf8(body) {
        Ok(text) => names.fill(text).into_bytes(),
        Err(_) => body.clone(),
    });
    let headers: Vec<(&str, &str)> = step.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let target = names.fill(&step.target);
    send(&worker.address(), &step.method, &target, &headers, body.as_deref()).unwrap_or_else(|error| {
        panic!("{}: {:?} gives no answer to {} {target}: {error}", step.place, worker.vendor(), step.method)
    })
}
