use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use volley_api::{ConnectorContext, Error};

use super::{HostProcess, Launch, Patience};
use crate::control::CallError;
use crate::fake_host::{FakeHost, IMPATIENT, Reply, wait_until};

const LONG: Duration = Duration::from_secs(30);

fn start(host: &FakeHost) -> Arc<HostProcess> {
    HostProcess::start("connector `c`", host, Patience::default()).unwrap()
}

fn call(process: &HostProcess, name: &str, limit: Duration) -> Result<serde_json::Value, CallError> {
    process.calls().call(name, json!({}), limit, &|| false)
}

#[test]
fn many_calls_are_under_way_at_once_and_one_that_hangs_holds_up_no_other() {
    let host =
        FakeHost::new(|call, _| if call == "DUMP" { Reply::Hangs } else { Reply::Ok(json!(7)) }, |_, _| Reply::Hangs);
    let process = start(&host);
    std::thread::scope(|scope| {
        let hangs = scope.spawn(|| call(&process, "DUMP", Duration::from_millis(300)));
        assert_eq!(call(&process, "METRICS", LONG).unwrap(), 7);
        assert!(matches!(hangs.join().unwrap(), Err(CallError::Hangs(_))));
    });
    process.end();
    assert!(process.failure().unwrap().to_string().contains("exit code 0"));
}

#[test]
fn a_host_that_dies_fails_what_ran_in_it_and_says_why() {
    let host = FakeHost::new(|_, _| Reply::Dies, |_, _| Reply::Hangs);
    let process = start(&host);
    let raised: Arc<Mutex<Vec<Error>>> = Arc::default();
    let errors = Arc::clone(&raised);
    process.askers().add_connector("c", ConnectorContext::new("c").on_error(move |error| errors.lock().push(error)));
    let Err(CallError::Ended(error)) = call(&process, "METRICS", LONG) else { panic!("it died") };
    assert!(error.to_string().contains("connector `c`") && error.to_string().contains("heap is exhausted"), "{error}");
    assert!(error.trace().ends_with("It last printed:\nno room"), "{}", error.trace());
    wait_until("the instance fails", || !raised.lock().is_empty());
    assert!(matches!(call(&process, "METRICS", LONG), Err(CallError::Ended(_))));
}

#[test]
fn a_host_that_does_not_connect_is_killed() {
    let error = HostProcess::start("connector `c`", &FakeHost::silent(false), IMPATIENT).unwrap_err();
    assert!(error.to_string().contains("did not connect"), "{error}");
}

#[test]
fn a_host_without_a_sign_of_life_shows_its_threads_and_is_killed() {
    let process = HostProcess::start("connector `c`", &FakeHost::silent(true), IMPATIENT).unwrap();
    wait_until("it is killed", || process.failure().is_some());
    let error = process.failure().unwrap();
    assert!(error.to_string().contains("no sign of life"), "{error}");
    assert!(error.trace().contains("all threads"), "{}", error.trace());
}

#[test]
fn a_host_that_ignores_its_end_is_killed() {
    let process = HostProcess::start(
        "c",
        &FakeHost::silent(true),
        Patience { exit: Duration::from_millis(100), ..Patience::default() },
    );
    let process = process.unwrap();
    process.end();
    wait_until("it is killed", || process.failure().is_some());
    assert!(process.failure().unwrap().to_string().contains("did not end when it was asked to"));
}

#[test]
fn a_java_that_is_not_there_is_named_with_what_to_do() {
    struct NoJava;
    impl Launch for NoJava {
        fn command(&self, _: &str, _: &std::path::Path, _: &str) -> volley_api::Result<std::process::Command> {
            Ok(std::process::Command::new("/nowhere/java"))
        }
    }
    let error = HostProcess::start("connector `c`", &NoJava, IMPATIENT).unwrap_err().to_string();
    assert!(error.contains("/nowhere/java") && error.contains("volley.java.home"), "{error}");
}
