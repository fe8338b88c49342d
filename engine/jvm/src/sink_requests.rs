//! What a Java sink task asks of the worker, carried to its context.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;
use volley_api::{SinkContext, TopicPartition};

/// What a task asks for. It comes with the answers of its calls and, from other threads, on another connection, where a later request
/// may come first.
#[derive(Debug, Default)]
pub(crate) struct SinkRequests(Mutex<Asked>);

#[derive(Debug, Default)]
struct Asked {
    /// The numbers of the newest requests.
    seeks: HashMap<TopicPartition, u64>,
    pauses: HashMap<TopicPartition, u64>,
    /// When the wait is over that the task wants.
    wake_at: Option<Instant>,
}

impl SinkRequests {
    /// Asks for what is in `requests`, REQUESTS of the protocol, but for what was overtaken.
    pub(crate) fn apply(&self, requests: &Value, context: &SinkContext) {
        let mut asked = self.0.lock();
        let number = requests["number"].as_u64().unwrap_or_default();
        // as in Kafka, none at all is no wait
        if let Some(wait) = requests["timeout"].as_u64().filter(|wait| *wait > 0) {
            asked.wake_at = Some(Instant::now() + Duration::from_millis(wait));
        }
        if requests["commit"] == true {
            context.request_commit();
        }
        for seek in each(&requests["seeks"]) {
            if let (Some(partition), Some(offset)) = (partition(seek), seek["offset"].as_i64())
                && is_newest(&mut asked.seeks, &partition, number)
            {
                context.seek(partition, offset);
            }
        }
        for pause in each(&requests["pauses"]) {
            let Some(partition) = partition(pause) else { continue };
            if is_newest(&mut asked.pauses, &partition, number) {
                match pause["paused"] == true {
                    true => context.pause(&[partition]),
                    false => context.resume(&[partition]),
                }
            }
        }
    }

    /// Whether the wait is over that the task wanted. It is forgotten then.
    pub(crate) fn take_end_of_wait(&self) -> bool {
        self.0.lock().wake_at.take_if(|at| Instant::now() >= *at).is_some()
    }

    /// How long the task still wants to wait. It is forgotten then.
    pub(crate) fn take_wait(&self) -> Option<Duration> {
        self.0.lock().wake_at.take().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// As if the task wanted to be called now, if it does not say when.
    pub(crate) fn wake(&self) {
        self.0.lock().wake_at.get_or_insert_with(Instant::now);
    }
}

/// Notes the number unless there is a higher one.
fn is_newest(newest: &mut HashMap<TopicPartition, u64>, partition: &TopicPartition, number: u64) -> bool {
    let known = newest.entry(partition.clone()).or_default();
    let is_newest = number >= *known;
    *known = number.max(*known);
    is_newest
}

/// The items of a list; none of what is no list.
pub(crate) fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The partition that an object names.
pub(crate) fn partition(of: &Value) -> Option<TopicPartition> {
    let partition = i32::try_from(of["partition"].as_i64()?).ok()?;
    Some(TopicPartition::new(of["topic"].as_str()?, partition))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn requests(number: u64, partition: i32, is_paused: bool, offset: i64) -> Value {
        json!({
            "number": number, "commit": false, "timeout": null,
            "seeks": [{"topic": "t", "partition": partition, "offset": offset}],
            "pauses": [{"topic": "t", "partition": partition, "paused": is_paused}],
        })
    }

    #[test]
    fn what_a_task_asked_for_last_counts_whichever_way_comes_first() {
        let (asked, context) = (SinkRequests::default(), SinkContext::new("c", 0));
        for request in [requests(8, 0, false, 80), requests(7, 0, true, 70), requests(7, 1, true, 71)] {
            asked.apply(&request, &context);
        }
        let [first, second] = [0, 1].map(|number| TopicPartition::new("t", number));
        let (pauses, seeks) = (context.requests().take_pauses(), context.requests().take_seeks().1);
        assert_eq!((pauses[&first], pauses[&second]), (false, true));
        assert_eq!((seeks[&first], seeks[&second]), (80, 71));
        // and once more when what came first has been carried out
        asked.apply(&requests(6, 0, true, 60), &context);
        assert!(context.requests().take_pauses().is_empty() && context.requests().take_seeks().1.is_empty());
    }
}
