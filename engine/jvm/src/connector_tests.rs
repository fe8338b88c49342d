use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use volley_api::{
    ConfigMap, Connector, ConnectorContext, Offsets, SinkContext, SinkTask, SourceOffset, SourcePartition, Support,
};

use crate::connector::JavaConnector;
use crate::fake_host::{FakeHost, Reply, java, java_with, own_chain, usual, wait_until};
use crate::frames::Kind;
use crate::process::Patience;
use crate::runtime::JavaRuntime;
use crate::sink::JavaSinkTask;

fn connector(java: &Arc<JavaRuntime>) -> JavaConnector {
    let plugin = java.found().unwrap().0.iter().find(|plugin| plugin.class == "a.Sink").unwrap().clone();
    JavaConnector { java: Arc::clone(java), plugin: Arc::new(plugin) }
}

fn config() -> ConfigMap {
    ConfigMap::from_iter([("connector.class".to_owned(), "a.Sink".to_owned())])
}

#[test]
fn instance_and_tasks_share_a_process_that_ends_after_the_last() {
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Ok(json!({})));
    let java = java(&host, None);
    let mut running = connector(&java).start(ConnectorContext::new("c"), &config()).unwrap();
    let configs = running.task_configs(2).unwrap();
    assert_eq!((configs.len(), configs[1].len()), (2, 1));
    let context = SinkContext::new("c", 0).with_own_chain(own_chain());
    let mut task = JavaSinkTask::start(&java, context, &configs[0]).unwrap();
    assert_eq!(host.starts(), 2, "one to scan, one for the connector");
    running.stop();
    drop(running);
    task.tick().unwrap();
    assert!(!host.has_received().contains(&"EXIT".to_owned()));
    task.stop();
    drop(task);
    wait_until("it is asked to end", || host.has_received().contains(&"EXIT".to_owned()));
    let calls: Vec<_> =
        host.has_received().into_iter().filter(|call| call.starts_with("CONN") || call.starts_with("TASK")).collect();
    assert_eq!(calls, ["CONNECTOR_START", "TASK_CONFIGS", "TASK_NEW", "CONNECTOR_STOP", "TASK_END"]);
}

#[test]
fn an_instance_moves_to_a_fresh_process_when_a_task_beside_it_is_given_up() {
    let host = FakeHost::new(
        |call, _| usual(call),
        |_, frame| match frame.kind {
            Kind::Open => Reply::Hangs,
            _ => Reply::Ok(json!({})),
        },
    );
    let java = java(&host, None);
    let mut running = connector(&java).start(ConnectorContext::new("c"), &config()).unwrap();
    let hanging = host.clone();
    let is_opening = move || hanging.has_received().iter().any(|name| name == "Open");
    let context = SinkContext::new("c", 0).with_own_chain(own_chain()).on_abandonment(is_opening);
    let mut task = JavaSinkTask::start(&java, context, &config()).unwrap();
    assert!(task.open(&Offsets::new()).is_err());
    wait_until("nothing is left in the process of the task that hangs", || !host.runs(1));
    running.task_configs(1).unwrap();
    assert_eq!(host.starts(), 3, "one to scan, one that hangs, one for the instance");
    let calls: Vec<_> = host.has_received().into_iter().filter(|call| call.starts_with("CONN")).collect();
    assert_eq!(calls, ["CONNECTOR_START", "CONNECTOR_STOP", "CONNECTOR_START"]);
    assert!(host.runs(2));
}

#[test]
fn nobody_enters_the_process_of_a_task_that_was_given_up_even_before_it_knows() {
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Ok(json!({})));
    let java = java(&host, None);
    let is_given_up = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_given_up);
    let context = SinkContext::new("c", 0).with_own_chain(own_chain());
    let first = context.clone().on_abandonment(move || seen.load(Ordering::SeqCst));
    let first = JavaSinkTask::start(&java, first, &config()).unwrap();
    is_given_up.store(true, Ordering::SeqCst);
    let second = JavaSinkTask::start(&java, context, &config()).unwrap();
    assert_eq!(host.starts(), 3, "one to scan, and one for each");
    drop((first, second));
}

#[test]
fn a_connector_asks_its_worker_through_its_context() {
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Ok(json!({})));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (reconfigured, failed) = (Arc::clone(&asked), Arc::clone(&asked));
    let context = ConnectorContext::new("c")
        .on_reconfiguration(move || reconfigured.lock().push("reconfigure".to_owned()))
        .on_error(move |error| failed.lock().push(error.to_string()))
        .with_offsets(Arc::new(|partition: &SourcePartition| {
            Ok(partition.contains_key("known").then(|| SourceOffset::from_iter([("at".to_owned(), json!(5))])))
        }));
    let _running = connector(&java(&host, None)).start(context, &config()).unwrap();
    assert_eq!(host.call_worker(json!({"call": "RECONFIGURE", "connector": "c"}))["ok"], json!({}));
    let error = json!({"kind": "fatal", "class": "a.B", "message": "lost", "trace": "a.B: lost"});
    host.call_worker(json!({"call": "RAISE_ERROR", "connector": "c", "error": error}));
    assert_eq!(*asked.lock(), ["reconfigure", "lost"]);
    let read = json!({"call": "OFFSET_READ", "connector": "c", "partitions": [{"known": 1}, {"other": 1}]});
    assert_eq!(host.call_worker(read)["ok"], json!([{"at": 5}, null]));
    assert_eq!(host.call_worker(json!({"call": "RECONFIGURE", "connector": "d"}))["error"]["kind"], "fatal");
}

#[test]
fn offsets_that_a_user_sets_are_told_to_a_sink_as_offsets_of_kafka() {
    let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let host = FakeHost::new(
        move |call, request| match call {
            "ALTER_OFFSETS" => {
                seen.lock().push(request.clone());
                Reply::Ok(json!(true))
            }
            call => usual(call),
        },
        |_, _| Reply::Hangs,
    );
    let of = |number: i32| {
        SourcePartition::from_iter([
            ("kafka_topic".to_owned(), json!("t")),
            ("kafka_partition".to_owned(), json!(number)),
        ])
    };
    let offset = SourceOffset::from_iter([("kafka_offset".to_owned(), json!(7))]);
    assert!(connector(&java(&host, None)).alter_offsets(&config(), &[(of(0), Some(offset)), (of(1), None)]).unwrap());
    let asked = asked.lock();
    assert_eq!((&asked[0]["kind"], &asked[0]["class"]), (&json!("sink"), &json!("a.Sink")));
    let expected = json!([{"topic": "t", "partition": 0, "offset": 7}, {"topic": "t", "partition": 1, "offset": null}]);
    assert_eq!(asked[0]["offsets"], expected);
}

#[test]
fn a_question_that_hangs_costs_its_process_and_the_next_one_gets_a_fresh_one() {
    let questions = AtomicUsize::new(0);
    let host = FakeHost::new(
        move |call, _| match call {
            "EXACTLY_ONCE" if questions.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Dies,
            "EXACTLY_ONCE" => Reply::Ok(json!("supported")),
            "BOUNDARIES" => Reply::Hangs,
            call => usual(call),
        },
        |_, _| Reply::Hangs,
    );
    let java = java(&host, None);
    let connector = connector(&java);
    assert_eq!(
        connector.exactly_once_support(&config()).unwrap(),
        Some(Support::Supported),
        "asked again in a fresh one"
    );
    assert_eq!(host.starts(), 2);
    let found = java.found().unwrap();
    let limit = Duration::from_millis(300);
    let error = java.utility().ask("BOUNDARIES", &json!({}), "/p/sink", &found, limit).unwrap_err().to_string();
    assert!(error.contains("BOUNDARIES") && error.contains("did not return in time"), "{error}");
    assert_eq!(connector.exactly_once_support(&config()).unwrap(), Some(Support::Supported));
    assert_eq!(host.starts(), 3);
}

#[test]
fn what_a_scan_found_is_known_to_the_next_worker_without_a_process() {
    let cache = tempfile::tempdir().unwrap();
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Hangs);
    let first = java(&host, Some(cache.path().to_owned())).found().unwrap();
    assert_eq!(host.starts(), 1);
    let java = java(&host, Some(cache.path().to_owned()));
    assert_eq!(java.found().unwrap(), first);
    assert!(connector(&java).config_def().find("k").unwrap().is_required());
    assert_eq!(host.starts(), 1);
}

#[test]
fn the_process_for_questions_ends_when_it_is_idle_and_comes_again_when_it_is_needed() {
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Hangs);
    let patience = Patience { idle: Duration::from_millis(50), ..Patience::default() };
    let java = java_with(&host, None, patience);
    let connector = connector(&java);
    wait_until("it ends", || host.has_received().contains(&"EXIT".to_owned()));
    assert_eq!(connector.exactly_once_support(&config()).unwrap(), None);
    assert_eq!(host.starts(), 2);
}
