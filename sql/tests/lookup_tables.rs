//! Lookup tables that come from other places than a small file, and that change while a task runs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray};
use arrow::util::display::array_value_to_string;
use volley_api::testing::config_map;
use volley_api::{Metrics, Records, Transformation, TransformationContext, WorkerPlugins};
use volley_sql::Sql;

use crate::fixtures::batches;

const QUERY: &str = "SELECT id, c.name FROM records LEFT JOIN countries c ON country = c.code WHERE id < 4";

fn running(query: &str, url: &str, more: &[(&str, &str)], metrics: &Metrics) -> volley_api::Result<Sql> {
    let mut config = config_map(&[("query", query), ("lookup.countries.url", url)]);
    config.extend(config_map(more));
    Sql::of_task(TransformationContext::of_task(metrics.clone(), WorkerPlugins::none()), &config)
}

fn orders() -> Records {
    batches("orders").unwrap().remove(0)
}

/// The names that the table gives to the countries of the orders, and their ids.
fn names(sql: &mut Sql) -> String {
    let transformed = sql.apply(orders()).unwrap();
    assert!(transformed.rejected.is_empty());
    let values = transformed.records[0].value.array.as_struct().clone();
    let row = |row| {
        let cell = |column: usize| array_value_to_string(values.column(column), row).unwrap();
        format!("{}={}", cell(0), cell(1))
    };
    (0..values.len()).map(row).collect::<Vec<_>>().join(" ")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

fn replace(path: &Path, content: &str) {
    let new = path.with_extension("new");
    fs::write(&new, content).unwrap();
    fs::rename(new, path).unwrap();
}

#[test]
fn a_file_that_changes_is_seen_from_the_next_batch_on_and_one_that_is_bad_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("countries.csv");
    fs::write(&path, "code,name\nDE,Germany\n").unwrap();
    let (url, metrics) = (format!("file://{}", path.display()), Metrics::default());
    let mut sql = running(QUERY, &url, &[("lookup.countries.refresh.interval.ms", "1")], &metrics).unwrap();
    assert_eq!(names(&mut sql), "1=Germany 2= 3=");
    replace(&path, "name,code,new\nDeutschland,DE,1\nFrankreich,FR,2\n");
    until("the change is not seen", || names(&mut sql) == "1=Deutschland 2=Frankreich 3=");
    let failures = || metrics.value("lookup_refresh_failures").unwrap_or(0);
    fs::remove_file(&path).unwrap();
    until("the loss is not counted", || failures() > 2);
    assert_eq!(names(&mut sql), "1=Deutschland 2=Frankreich 3=");
    let seen = metrics.value("lookup_refreshes");
    replace(&path, "code,name\n\"");
    let before = failures();
    until("what is no CSV is not counted", || failures() > before + 2);
    assert_eq!(names(&mut sql), "1=Deutschland 2=Frankreich 3=");
    assert_eq!(metrics.value("lookup_refreshes"), seen);
    replace(&path, "code,name\nES,Spanien\n");
    until("the table does not recover", || names(&mut sql) == "1= 2= 3=Spanien");
}

#[test]
fn without_an_interval_and_without_a_task_a_table_stays_as_it_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("countries.csv");
    fs::write(&path, "code,name\nDE,Germany\n").unwrap();
    let url = path.display().to_string();
    let mut sql = running(QUERY, &url, &[], &Metrics::default()).unwrap();
    let refreshed = [("lookup.countries.refresh.interval.ms", "1")];
    let mut config = config_map(&[("query", QUERY), ("lookup.countries.path", &url)]);
    config.extend(config_map(&refreshed));
    let mut checked = Sql::new(&config).unwrap();
    replace(&path, "code,name\nDE,Other\n");
    let mut seen = running(QUERY, &url, &refreshed, &Metrics::default()).unwrap();
    assert_eq!(names(&mut seen), "1=Other 2= 3=");
    assert_eq!(names(&mut sql), "1=Germany 2= 3=");
    assert_eq!(names(&mut checked), "1=Germany 2= 3=");
}

#[test]
fn all_kinds_of_joins_see_new_rows() {
    let directory = tempfile::tempdir().unwrap();
    for (join, before, after) in [
        ("SELECT id, name FROM records JOIN countries ON country = code", "1=Germany", "2=France 3=Spain"),
        ("SELECT id, country FROM records LEFT SEMI JOIN countries ON country = code", "1=DE", "2=FR 3=ES"),
        ("SELECT id, country FROM records LEFT ANTI JOIN countries ON country = code", "2=FR 3=ES", "1=DE"),
        ("SELECT id, code FROM records CROSS JOIN countries WHERE id = 1", "1=DE", "1=FR 1=ES"),
        ("SELECT id, code FROM records JOIN countries ON country > code WHERE id < 3", "2=DE", "2=ES"),
    ] {
        let path = directory.path().join("countries.csv");
        fs::write(&path, "code,name\nDE,Germany\n").unwrap();
        let interval = [("lookup.countries.refresh.interval.ms", "1")];
        let mut sql = running(join, &path.display().to_string(), &interval, &Metrics::default()).unwrap();
        assert_eq!(names(&mut sql), before, "{join}");
        replace(&path, "code,name\nFR,France\nES,Spain\n");
        until(join, || names(&mut sql) == after);
    }
}

#[test]
fn what_cannot_be_read_is_a_config_error_that_names_the_key_and_shows_no_secret() {
    let long = "a\n".repeat(100);
    let directory = tempfile::tempdir().unwrap();
    let cases =
        [("t.csv", long.as_str(), "lookup.max.bytes"), ("t.xml", "", "none of"), ("t.json", "{", "could not read")];
    for (name, content, reason) in cases {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        let url = path.display().to_string();
        let error = running(QUERY, &url, &[("lookup.max.bytes", "100")], &Metrics::default()).unwrap_err();
        assert_eq!(error.kind(), volley_api::ErrorKind::Config);
        assert!(error.to_string().starts_with("`lookup.countries.url`: "), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    for url in ["/nowhere/t.csv", "http://127.0.0.1:1/t.csv?token=hunter2", "s3://bucket/t.csv"] {
        let store = [
            ("lookup.countries.store.s3.access.key.id", "AKIA"),
            ("lookup.countries.store.s3.secret.access.key", "hunter2"),
            ("lookup.countries.store.s3.endpoint", "http://127.0.0.1:1"),
        ];
        let error = running(QUERY, url, &store, &Metrics::default()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("could not read the lookup table") && !shown.contains("hunter2"), "{shown}");
    }
    let half = [("lookup.countries.store.s3.access.key.id", "AKIA")];
    let error = running(QUERY, "s3://bucket/t.csv", &half, &Metrics::default()).unwrap_err();
    assert!(error.to_string().contains("`store.s3.secret.access.key` is needed"), "{error}");
}

#[test]
fn a_web_server_is_asked_for_what_has_changed_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tables/countries.csv?v=1", listener.local_addr().unwrap());
    let (version, unchanged) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)));
    let (served, not_modified) = (Arc::clone(&version), Arc::clone(&unchanged));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            assert!(request.starts_with("GET /tables/countries.csv?v=1 HTTP/1.1\r\n"), "{request}");
            let version = served.load(Ordering::SeqCst);
            let body = format!("code,name\nDE,Germany {version}\n");
            let answer = match request.contains(&format!("if-none-match: \"{version}\"")) {
                true => {
                    not_modified.fetch_add(1, Ordering::SeqCst);
                    "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned()
                }
                false => {
                    format!("HTTP/1.1 200 OK\r\netag: \"{version}\"\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                }
            };
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let interval = [("lookup.countries.refresh.interval.ms", "1")];
    let mut sql = running(QUERY, &url, &interval, &Metrics::default()).unwrap();
    assert_eq!(names(&mut sql), "1=Germany 1 2= 3=");
    until("the server is not asked again", || unchanged.load(Ordering::SeqCst) > 1);
    version.store(2, Ordering::SeqCst);
    until("the new version is not seen", || names(&mut sql) == "1=Germany 2 2= 3=");
}
