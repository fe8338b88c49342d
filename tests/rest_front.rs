//! What stands before REST's resources, on the real binary: TLS, users, CORS, headers, listeners of `/admin`, and the way to
//! the leader.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use volley_api::ConfigMap;
use volley_net::TlsConnector;

use crate::testbed::{Kafka, properties, wait_until};
use crate::worker_process::{Running, Volley, request};

const NOWHERE: &str = "127.0.0.1:1";
const LIMIT: Duration = Duration::from_secs(60);

/// An answer, split at its blank line.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

fn bytes(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn plain(address: &str, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(&bytes(address, method, path, headers, "")).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::parse(&answer)
}

/// A request over TLS; what went wrong if there is no answer.
fn encrypted(address: &str, tls: &ConfigMap, method: &str, path: &str, body: &str) -> Result<Answer, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let connector = TlsConnector::new(tls).unwrap();
        let mut stream = connector.connect("127.0.0.1", stream).await.map_err(|error| error.to_string())?;
        let request = bytes(address, method, path, "Content-Type: application/json\r\n", body);
        stream.write_all(&request).await.map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        match tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await.unwrap() {
            Err(error) if answer.is_empty() => Err(error.to_string()),
            _ => Ok(Answer::parse(&answer)),
        }
    })
}

/// A certificate that signs itself, with its key in one PEM file.
fn certificate(dir: &Path) -> PathBuf {
    let (key, certificate, both) = (dir.join("key.pem"), dir.join("certificate.pem"), dir.join("both.pem"));
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=volley"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    fs::write(&both, format!("{}{}", fs::read_to_string(key).unwrap(), fs::read_to_string(certificate).unwrap()))
        .unwrap();
    both
}

/// Keys that trust, and show, the certificate in `file`.
fn tls_keys(prefix: &str, file: &Path) -> Vec<(String, String)> {
    let file = file.display().to_string();
    let keys = [
        ("truststore.type", "PEM"),
        ("truststore.location", &file),
        ("keystore.type", "PEM"),
        ("keystore.location", &file),
    ];
    keys.iter().map(|(key, value)| (format!("{prefix}ssl.{key}"), (*value).to_owned())).collect()
}

fn as_pairs(keys: &[(String, String)]) -> Vec<(&str, &str)> {
    keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// The addresses of the listeners with this scheme, in order.
fn listeners(worker: &Running, scheme: &str, count: usize) -> Vec<String> {
    wait_until(LIMIT, "the listeners are announced", || {
        let log = worker.log();
        let lines = log
            .lines()
            .filter(|line| line.contains("REST server listens") && line.ends_with(&format!("scheme={scheme}")));
        let addresses: Vec<String> =
            lines.filter_map(|line| Some(line.split("address=").nth(1)?.split(' ').next()?.to_owned())).collect();
        (addresses.len() == count).then_some(addresses)
    })
}

#[test]
fn https_is_served_beside_http_and_a_broken_client_is_in_nobody_s_way() {
    let volley = Volley::new();
    let file = certificate(volley.path(".").as_path());
    let keys = tls_keys("listeners.https.", &file);
    let mut more =
        vec![("listeners", "HTTP://127.0.0.1:0,Https://127.0.0.1:0"), ("ssl.keystore.location", "/not/read")];
    more.extend(as_pairs(&keys));
    let worker = volley.worker(NOWHERE, &more);
    let mut running = volley.start(&["standalone", worker.to_str().unwrap()]);
    let http = running.rest();
    let https = listeners(&running, "https", 1).remove(0);

    // One says nothing, one nonsense, one goes away: the listener goes on.
    let _silent = TcpStream::connect(&https).unwrap();
    TcpStream::connect(&https).unwrap().write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    drop(TcpStream::connect(&https).unwrap());

    let trust = properties(&[("ssl.truststore.type", "PEM"), ("ssl.truststore.location", file.to_str().unwrap())]);
    let answer = encrypted(&https, &trust, "GET", "/connectors", "").unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!([])));
    let connector = json!({ "name": "a", "config": {
        "connector.class": "FileStreamSource", "file": "/not/there", "topic": "t"
    } });
    let answer = encrypted(&https, &trust, "POST", "/connectors", &connector.to_string()).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(answer.head.contains(&format!("location: https://{https}/connectors/a")), "{}", answer.head);
    assert_eq!(request(&http, "GET", "/connectors", None).1, json!(["a"]));
    assert!(running.log().contains(&format!("url=\"http://{http}\"")), "the plain listener is advertised");
    running.stop(LIMIT);
}

#[test]
fn a_client_without_a_certificate_is_refused_where_one_is_required() {
    let volley = Volley::new();
    let file = certificate(volley.path(".").as_path());
    let keys = tls_keys("", &file);
    let mut more = vec![("listeners", "https://127.0.0.1:0"), ("ssl.client.auth", "required")];
    more.extend(as_pairs(&keys));
    let worker = volley.worker(NOWHERE, &more);
    let running = volley.start(&["standalone", worker.to_str().unwrap()]);
    let https = listeners(&running, "https", 1).remove(0);
    let with = keys.iter().cloned().collect::<ConfigMap>();
    let answer = wait_until(LIMIT, "https answers", || encrypted(&https, &with, "GET", "/connectors", "").ok());
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
    let without: ConfigMap = keys.into_iter().filter(|(key, _)| key.contains("truststore")).collect();
    assert!(encrypted(&https, &without, "GET", "/connectors", "").is_err());
}

#[test]
fn what_cannot_be_served_is_said_at_the_start() {
    for (more, named) in [
        (vec![("listeners", "https://127.0.0.1:0")], "ssl.keystore"),
        (
            vec![("listeners", "https://127.0.0.1:0"), ("listeners.https.ssl.keystore.location", "/nope.pem")],
            "/nope.pem",
        ),
        (vec![("rest.extension.classes", "org.example.Mine")], "org.example.Mine"),
        (
            vec![(
                "rest.extension.classes",
                "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
            )],
            "volley.rest.basic.auth.file",
        ),
        (vec![("response.http.headers.config", "put X: y")], "Invalid header config action: 'put'"),
        (vec![("access.control.allow.origin", "[")], "access.control.allow.origin"),
        (vec![("admin.listeners", "ftp://127.0.0.1:0")], "Listener protocol must be either"),
        (vec![("rest.advertised.port", "99999")], "rest.advertised.port"),
    ] {
        let volley = Volley::new();
        let worker = volley.worker(NOWHERE, &more);
        let ended = volley.run(LIMIT, &["standalone", worker.to_str().unwrap()]);
        assert_eq!(ended.status.code(), Some(2), "{more:?}: {}", ended.log);
        assert!(ended.log.contains(named), "{named}: {}", ended.log);
    }
}

#[test]
fn users_come_from_the_file_that_the_login_configuration_names() {
    let volley = Volley::new();
    let users = volley.file("users.properties", &[("alice", "hunter2")]);
    let login = format!(
        "KafkaConnect {{\n  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n  file=\"{}\";\n}};\n",
        users.display()
    );
    fs::write(volley.path("login.conf"), login).unwrap();
    let worker = volley.worker(
        NOWHERE,
        &[
            (
                "rest.extension.classes",
                "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
            ),
            ("access.control.allow.origin", "http://pages.example"),
            ("access.control.allow.methods", "GET,PUT"),
            ("response.http.headers.config", "add X-Frame-Options: DENY, \"set Cache-Control: no-cache, no-store\""),
            ("admin.listeners", "http://127.0.0.1:0"),
        ],
    );
    let options = format!("-Xmx1g -Djava.security.auth.login.config={}", volley.path("login.conf").display());
    let running = volley.start_with(&["standalone", worker.to_str().unwrap()], &[("KAFKA_OPTS", &options)]);
    let addresses = listeners(&running, "http", 2);
    let (main, admin) = (&addresses[0], &addresses[1]);
    wait_until(LIMIT, "REST answers", || (plain(main, "GET", "/", "").status == 401).then_some(()));

    let user = "Authorization: Basic YWxpY2U6aHVudGVyMg==\r\n"; // alice:hunter2
    let page = "Origin: http://pages.example\r\n";
    let refused = plain(main, "GET", "/connectors", page);
    assert_eq!((refused.status, refused.body.as_str()), (401, "User cannot access the resource."));
    for header in ["access-control-allow-origin: http://pages.example", "vary: origin", "x-frame-options: deny"] {
        assert!(refused.head.contains(header), "{header}: {}", refused.head);
    }
    let wrong = "Authorization: Basic YWxpY2U6eA==\r\n";
    assert_eq!(plain(main, "GET", "/connectors", wrong).status, 401);
    let allowed = plain(main, "GET", "/connectors", &format!("{user}{page}"));
    assert_eq!((allowed.status, allowed.body.as_str()), (200, "[]"));
    assert!(allowed.head.contains("cache-control: no-cache, no-store"), "{}", allowed.head);
    let preflight = format!("{user}{page}Access-Control-Request-Method: PUT\r\n");
    let preflight = plain(main, "OPTIONS", "/connectors", &preflight);
    assert!(preflight.head.contains("access-control-allow-methods: get,put"), "{}", preflight.head);
    assert!(preflight.head.contains("allow: head,post,get,options"), "{}", preflight.head);

    // What is unknown is unknown to everybody, and workers sign instead.
    assert_eq!(plain(main, "GET", "/nope", "").status, 404);
    assert_eq!(plain(main, "PUT", "/connectors/a/fence", "").status, 500);
    assert_eq!(plain(main, "GET", "/openapi.json", user).json()["openapi"], "3.0.3");
    // Loggers are on the listener of their own, for users too.
    assert_eq!(plain(main, "GET", "/admin/loggers", user).status, 404);
    assert_eq!(plain(admin, "GET", "/admin/loggers", "").status, 401);
    let loggers = plain(admin, "GET", "/admin/loggers", user).json();
    assert_eq!(
        (loggers["root"]["level"].as_str(), loggers["volley_worker"]["level"].as_str()),
        (Some("INFO"), Some("INFO"))
    );
    assert_eq!(plain(admin, "GET", "/connectors", user).status, 404);
    assert!(running.log().contains("\"GET /connectors HTTP/1.1\" 200 2 "), "the request log: {}", running.log());
    assert!(!running.log().contains("hunter2"));
}

#[test]
fn an_empty_list_of_admin_listeners_takes_the_loggers_away() {
    let volley = Volley::new();
    let worker = volley.worker(NOWHERE, &[("admin.listeners", "")]);
    let mut running = volley.start(&["standalone", worker.to_str().unwrap()]);
    let address = running.rest();
    let status = |path: &str| request(&address, "GET", path, None).0;
    wait_until(LIMIT, "REST answers", || (status("/connectors") == 200).then_some(()));
    assert_eq!(status("/admin/loggers"), 404);
}

#[test]
fn a_follower_asks_the_leader_over_https_for_what_the_leader_has_to_do() {
    let kafka = Kafka::shared();
    let group = format!("rest-front-{}", std::process::id());
    let volleys = [Volley::new(), Volley::new()];
    let file = certificate(volleys[0].path(".").as_path());
    let keys = tls_keys("listeners.https.", &file);
    let start = |volley: &Volley| {
        let topic = |kind: &str| format!("{group}-{kind}");
        let (configs, offsets, statuses) = (topic("configs"), topic("offsets"), topic("status"));
        let servers = kafka.bootstrap_servers();
        let mut lines = vec![
            ("bootstrap.servers", servers.as_str()),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("group.id", group.as_str()),
            ("listeners", "https://127.0.0.1:0"),
            ("config.storage.topic", &configs),
            ("offset.storage.topic", &offsets),
            ("status.storage.topic", &statuses),
            ("config.storage.replication.factor", "1"),
            ("offset.storage.replication.factor", "1"),
            ("status.storage.replication.factor", "1"),
            ("offset.storage.partitions", "1"),
            ("status.storage.partitions", "1"),
        ];
        lines.extend(as_pairs(&keys));
        let worker = volley.file("worker.properties", &lines);
        volley.start(&["distributed", worker.to_str().unwrap()])
    };
    let mut running = [start(&volleys[0]), start(&volleys[1])];
    let addresses = running.each_ref().map(|worker| listeners(worker, "https", 1).remove(0));
    let tls: ConfigMap = keys
        .iter()
        .map(|(key, value)| (key.trim_start_matches("listeners.https.").to_owned(), value.clone()))
        .collect();
    let ask = |worker: usize, method: &str, path: &str, body: &Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        encrypted(&addresses[worker], &tls, method, path, &body)
    };
    // Whichever of the two leads, both create, and both see both.
    for worker in [0, 1] {
        let name = format!("c{worker}");
        let connector = json!({ "name": name, "config": {
            "connector.class": "FileStreamSource", "file": "/not/there", "topic": format!("{group}-t")
        } });
        wait_until(LIMIT, "a connector is created", || {
            let answer = ask(worker, "POST", "/connectors", &connector);
            let ended = running.iter_mut().find_map(|worker| (!worker.is_running()).then(|| worker.log()));
            assert!(ended.is_none(), "a worker ended: {}", ended.unwrap_or_default());
            let answer = answer.ok()?;
            assert!([201, 404, 409, 500].contains(&answer.status), "{}", answer.body);
            let is_there = answer.status == 201 || answer.body.contains("already exists");
            is_there.then_some(())
        });
    }
    for worker in [0, 1] {
        wait_until(LIMIT, "both tasks run", || {
            let states = ask(worker, "GET", "/connectors?expand=status", &Value::Null).ok()?.json();
            let is_running = |name: &str| states[name]["status"]["tasks"][0]["state"] == "RUNNING";
            (is_running("c0") && is_running("c1")).then_some(())
        });
        // One of these at least takes two hops.
        for name in ["c0", "c1"] {
            for path in [format!("/connectors/{name}/restart"), format!("/connectors/{name}/tasks/0/restart")] {
                wait_until(LIMIT, "it is restarted", || {
                    let answer = ask(worker, "POST", &path, &Value::Null).ok()?;
                    assert!([204, 409].contains(&answer.status), "{path}: {}", answer.body);
                    (answer.status == 204).then_some(())
                });
            }
        }
    }
    for worker in [0, 1] {
        assert_eq!(ask(worker, "DELETE", &format!("/connectors/c{worker}"), &Value::Null).unwrap().status, 204);
    }
}
