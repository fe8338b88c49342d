use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use volley_api::{ConfigMap, Connector, ConnectorContext, Error, RunningConnector, SinkContext, SinkTask};

use crate::connector::JavaConnector;
use crate::fake_host::{FakeHost, IMPATIENT, Reply, java, java_with, own_chain, usual, wait_until};
use crate::process::Patience;
use crate::runtime::JavaRuntime;
use crate::sink::JavaSinkTask;

fn connector(java: &Arc<JavaRuntime>) -> JavaConnector {
    let plugin = java.found().unwrap().0.iter().find(|plugin| plugin.class == "a.Sink").unwrap().clone();
    JavaConnector { java: Arc::clone(java), plugin: Arc::new(plugin) }
}

fn config(more: &[(&str, &str)]) -> ConfigMap {
    let class = [("connector.class", "a.Sink")];
    class.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn start(java: &Arc<JavaRuntime>, name: &str, more: &[(&str, &str)]) -> Box<dyn RunningConnector> {
    connector(java).start(ConnectorContext::new(name), &config(more)).unwrap()
}

/// A host that tells what it was asked of that kind.
fn telling(call: &'static str) -> (FakeHost, Arc<Mutex<Vec<Value>>>) {
    let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
    let told = Arc::clone(&asked);
    let on_call = move |name: &str, request: &Value| {
        if name == call {
            told.lock().push(request.clone());
        }
        usual(name)
    };
    (FakeHost::new(on_call, |_, _| Reply::Ok(json!({}))), asked)
}

#[test]
fn a_log_level_reaches_the_hosts_that_run_and_those_that_start_later_before_anything_else() {
    let (host, asked) = telling("LOGGER");
    let java = java(&host, None);
    let _first = start(&java, "first", &[]);
    java.hosts().set_log_level("a.b", "DEBUG");
    let levels = || {
        let asked = asked.lock();
        asked.iter().map(|request| format!("{} {}", request["name"], request["level"])).collect::<Vec<_>>()
    };
    wait_until("both processes know it", || levels().len() == 2);
    java.hosts().set_log_level("a", "WARN");
    wait_until("both processes know the next one", || levels().len() == 4);
    java.hosts().set_log_level("a.c", "TRACE");
    wait_until("and the last", || levels().len() == 6);
    let _second = start(&java, "second", &[]);
    assert_eq!(levels()[6..], ["\"a\" \"WARN\"", "\"a.c\" \"TRACE\""], "only what still has an effect");
    let calls = host.has_received();
    let last_level = calls.iter().rposition(|call| call == "LOGGER").unwrap();
    assert_eq!(calls[last_level + 1], "CONNECTOR_START");
}

#[test]
fn a_host_that_does_not_take_a_level_is_told_the_next_one() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let host = FakeHost::new(
        move |call, _| match call {
            "LOGGER" if count.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Fails(Error::config("no such level")),
            call => usual(call),
        },
        |_, _| Reply::Ok(json!({})),
    );
    let java = java(&host, None);
    java.found().unwrap();
    for (number, level) in [(1, "STRANGE"), (2, "INFO")] {
        java.hosts().set_log_level("a", level);
        wait_until("it is told", || asked.load(Ordering::SeqCst) == number);
    }
}

#[test]
fn a_process_is_described_by_its_last_beat_and_by_who_is_in_it() {
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Ok(json!({})));
    let java = java(&host, None);
    let mut running = start(&java, "c", &[]);
    let described = |name: &str| java.hosts().describe().into_iter().find(|process| process.name == name);
    wait_until("it has beaten", || described("connector:c").is_some_and(|process| process.resident_bytes.is_some()));
    let process = described("connector:c").unwrap();
    assert_eq!(process.connectors, ["c"]);
    assert_eq!((process.heap_used_bytes, process.heap_max_bytes, process.threads), (1, 2, 3));
    assert_eq!((process.gc_ms, process.cpu_ms), (4, 5));
    wait_until("so is the one for questions", || {
        described("discovery").is_some_and(|process| process.connectors.is_empty())
    });
    running.stop();
    wait_until("what has ended is not shown", || described("connector:c").is_none());
}

#[test]
fn a_process_that_has_ended_is_not_held_though_nobody_looks() {
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Ok(json!({})));
    let java = java(&host, None);
    java.found().unwrap();
    for round in 1..=9 {
        let mut running = start(&java, "c", &[]);
        assert!(
            java.hosts().held() <= 5,
            "round {round}: the one for questions, the connector's, and some that are just ending"
        );
        running.stop();
        drop(running);
        wait_until("it has ended", || host.has_received().iter().filter(|call| *call == "EXIT").count() == round);
    }
}

#[test]
fn a_host_that_does_not_tell_its_numbers_is_left_out_and_not_asked_again_meanwhile() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let beans = json!({"metrics": [{"name": "d:type=t,x=y", "attributes": {"a": 1.5, "none": null}}]});
    let host = FakeHost::new(
        move |call, _| match call {
            "METRICS" => match count.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::Hangs,
                _ => Reply::Ok(beans.clone()),
            },
            call => usual(call),
        },
        |_, _| Reply::Ok(json!({})),
    );
    let java = java(&host, None);
    java.found().unwrap();
    let from = Instant::now();
    assert_eq!(java.hosts().plugin_numbers(), []);
    assert!(from.elapsed() < Duration::from_secs(20));
    let _running = start(&java, "c", &[]);
    let numbers = java.hosts().plugin_numbers();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    assert_eq!((numbers[0].name.as_str(), numbers[0].value), ("d_t_a", 1.5));
    let labels: Vec<_> = numbers[0].labels.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(labels, [("process", "connector:c"), ("connector", "c"), ("x", "y")]);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "the one that hangs was asked once");
}

#[test]
fn connectors_of_a_group_share_a_process_with_the_largest_heap_of_them_all_until_the_last_has_gone() {
    let host = FakeHost::new(|call, _| usual(call), |_, _| Reply::Ok(json!({})));
    let java = java(&host, None);
    java.ask_for_heaps_of_groups(Arc::new(|group| match group {
        "g" => vec!["300m".to_owned(), "1g".to_owned(), "nonsense".to_owned()],
        _ => vec!["64g".to_owned()],
    }));
    let member = [("volley.java.process", "group:g"), ("volley.java.heap", "700m")];
    let mut first = start(&java, "first", &member);
    assert_eq!((host.starts(), host.last_heap()), (2, "1g".to_owned()));
    let mut second = start(&java, "second", &[("volley.java.process", "group:g"), ("volley.java.heap", "2g")]);
    let mut own_chain = own_chain();
    own_chain.connector_config.extend(config(&member));
    let context = SinkContext::new("second", 0).with_own_chain(own_chain);
    let mut task = JavaSinkTask::start(&java, context, &ConfigMap::new()).unwrap();
    assert_eq!(host.starts(), 2, "a larger heap does not start a second process");
    let in_group = || {
        let processes = java.hosts().describe();
        processes.into_iter().find(|process| process.name == "group:g").map(|process| process.connectors)
    };
    wait_until("both are in it", || in_group().is_some_and(|connectors| connectors == ["first", "second"]));
    let own = start(&java, "own", &[("volley.java.heap", "96m")]);
    assert_eq!((host.starts(), host.last_heap()), (3, "96m".to_owned()));
    drop(own);
    wait_until("the other one has ended", || host.has_received().iter().filter(|call| *call == "EXIT").count() == 1);
    first.stop();
    second.stop();
    drop((first, second));
    task.tick().unwrap();
    task.stop();
    drop(task);
    wait_until("the group's ends, too", || host.has_received().iter().filter(|call| *call == "EXIT").count() == 2);
}

#[test]
fn the_death_of_a_group_s_process_fails_all_of_its_connectors_with_the_reason() {
    let host = FakeHost::new(
        |call, _| if call == "TASK_CONFIGS" { Reply::Dies } else { usual(call) },
        |_, _| Reply::Ok(json!({})),
    );
    let java = java(&host, None);
    let failed: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let start = |name: &'static str| {
        let errors = Arc::clone(&failed);
        let context =
            ConnectorContext::new(name).on_error(move |error| errors.lock().push((name.to_owned(), error.to_string())));
        connector(&java).start(context, &config(&[("volley.java.process", "group:g")])).unwrap()
    };
    let (mut first, _second) = (start("first"), start("second"));
    first.task_configs(1).unwrap_err();
    wait_until("both have failed", || failed.lock().len() == 2);
    let failed = failed.lock();
    let names: BTreeSet<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["first", "second"]));
    for (_, error) in failed.iter() {
        assert!(error.contains("group `g`") && error.contains("heap is exhausted"), "{error}");
    }
}

/// Scans of the whole, and of parts one by one.
fn scanning(whole: fn() -> Reply, bad_part: fn() -> Reply) -> FakeHost {
    FakeHost::new(
        move |call, request| match (call, request["part"].as_str()) {
            ("LOCATIONS", _) => Reply::Ok(json!({"parts": ["/p/bad", "/p/sink"], "broken": []})),
            ("SCAN", None) => whole(),
            ("SCAN", Some("/p/bad")) => bad_part(),
            ("SCAN", Some(part)) => Reply::Ok(json!({"broken": [], "plugins": [
                {"class": format!("a.{}", part.rsplit('/').next().unwrap()), "kind": "sink", "version": "1", "location": part},
            ]})),
            (call, _) => usual(call),
        },
        |_, _| Reply::Ok(json!({})),
    )
}

#[test]
fn a_location_that_crashes_or_hangs_the_scan_is_left_out_and_the_others_are_found() {
    for bad in [|| Reply::Dies, || Reply::Hangs] as [fn() -> Reply; 2] {
        let cache = tempfile::tempdir().unwrap();
        let host = scanning(bad, bad);
        let patience = Patience { scan: IMPATIENT.scan, ..Patience::default() };
        let found = java_with(&host, Some(cache.path().to_owned()), patience).found().unwrap();
        let classes: Vec<_> = found.0.iter().map(|plugin| plugin.class.as_str()).collect();
        assert_eq!(classes, ["a.classpath", "a.sink"]);
        assert!(!found.0[1].keys.is_null());
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0, "the next worker tries again");
    }
}

#[test]
fn what_dies_for_another_reason_than_a_location_costs_none_of_them() {
    let host = scanning(|| Reply::Dies, || Reply::Ok(json!({"broken": [], "plugins": []})));
    assert_eq!(java(&host, None).found().unwrap().0.len(), 2);
}

#[test]
fn plug_ins_that_the_discovery_refuses_are_not_scanned_again_until_a_file_changes() {
    let scans = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&scans);
    let host = FakeHost::new(
        move |call, _| match call {
            "SCAN" if count.fetch_add(1, Ordering::SeqCst) < 10 => {
                Reply::Fails(Error::fatal("a.B has no service file"))
            }
            call => usual(call),
        },
        |_, _| Reply::Hangs,
    );
    let java = java(&host, None);
    for _ in 0..3 {
        assert!(java.found().unwrap_err().to_string().contains("a.B has no service file"));
    }
    assert_eq!(scans.load(Ordering::SeqCst), 1);
}
