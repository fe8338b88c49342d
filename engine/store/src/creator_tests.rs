//! How large objects are sent: what each request says, and how what goes wrong goes on.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutPayload, Result,
};

use crate::client_tests::parsed;
use crate::test_service::run;
use crate::{Creator, open_creator};

const PART: usize = 256 * 1024;

/// Answers requests in turn, each with a status and headers, or with none, and hangs up; gives their heads, with the number of
/// bytes behind them.
struct Script {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Script {
    /// In what is answered, `URL` stands for the server.
    fn of(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<_> = answers.iter().map(|answer| answer.replace("URL", &url)).collect();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
                stream.read_exact(&mut body).unwrap();
                heard.lock().unwrap().push(format!("{head}{} bytes", body.len()));
                if !answer.is_empty() {
                    write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
                }
            }
        });
        Self { url, asked }
    }

    /// The range and the bytes of each request behind the first.
    fn ranges(&self) -> Vec<String> {
        let range = |head: &String| {
            let line = head.lines().find_map(|line| line.strip_prefix("content-range: bytes "));
            format!("{}: {}", line.unwrap_or_default(), head.lines().last().unwrap())
        };
        self.asked.lock().unwrap()[1..].iter().map(range).collect()
    }

    fn google(&self) -> Creator {
        let key = r#"{"private_key": "k", "private_key_id": "k", "client_email": "e", "disable_oauth": true}"#;
        let keys = [
            ("store.url", "gs://bucket"),
            ("store.gcs.endpoint", self.url.as_str()),
            ("store.gcs.service.account.key", key),
        ];
        open_creator(&parsed(&keys)).unwrap().unwrap()
    }
}

/// Sends parts of these sizes.
fn sent(store: &Arc<dyn ObjectStore>, parts: &[usize]) -> Result<()> {
    let attributes = Attributes::from_iter([(Attribute::Metadata("volleyfile".into()), "label")]);
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    run(async {
        let mut upload = store.put_multipart_opts(&Path::parse("a b/ü&c")?, options).await?;
        // all of them begin before the first one ends
        let parts: Vec<_> = parts.iter().map(|bytes| upload.put_part(PutPayload::from(vec![7; *bytes]))).collect();
        futures::future::try_join_all(parts).await?;
        upload.complete().await.map(|_| ())
    })
}

const BEGUN: &str = "200 OK\r\nlocation: URL/session";

#[test]
fn a_resumable_upload_is_begun_on_condition_and_its_parts_follow_each_other() {
    let script = Script::of(&[
        BEGUN,
        "308 Resume Incomplete\r\nrange: bytes=0-262143",
        "308 X\r\nrange: bytes=0-524287",
        "200 OK",
    ]);
    sent(&script.google().store, &[PART, PART, 10]).unwrap();
    assert_eq!(
        script.ranges(),
        ["0-262143/*: 262144 bytes", "262144-524287/*: 262144 bytes", "524288-524297/524298: 10 bytes"]
    );
    let first = script.asked.lock().unwrap()[0].clone();
    let target = "post /upload/storage/v1/b/bucket/o?uploadtype=resumable&name=a%20b%2f%c3%bc%26c&ifgenerationmatch=0 ";
    assert!(first.starts_with(target), "{first}");
}

#[test]
fn whatever_is_there_is_overwritten_only_by_an_upload_without_a_condition() {
    let script = Script::of(&[BEGUN, "200 OK"]);
    sent(&script.google().overwriting, &[]).unwrap();
    assert_eq!(script.ranges(), ["*/0: 0 bytes"]);
    assert!(!script.asked.lock().unwrap()[0].contains("ifgenerationmatch"));
}

#[test]
fn of_a_part_whose_answer_is_lost_only_what_has_not_arrived_is_sent_again() {
    let script = Script::of(&[
        BEGUN,
        "",
        "308 X\r\nrange: bytes=0-262143",
        "308 X\r\nrange: bytes=0-524287",
        "503 Busy",
        // nothing of the last part, and then all of it
        "308 X\r\nrange: bytes=0-524287",
        "",
        "200 OK",
    ]);
    sent(&script.google().store, &[2 * PART, 5]).unwrap();
    assert_eq!(
        script.ranges(),
        [
            "0-524287/*: 524288 bytes",
            "*/*: 0 bytes",
            "262144-524287/*: 262144 bytes",
            "524288-524292/524293: 5 bytes",
            "*/524293: 0 bytes",
            "524288-524292/524293: 5 bytes",
            "*/524293: 0 bytes",
        ]
    );
}

#[test]
fn an_object_that_is_there_and_an_upload_that_is_gone_end_it() {
    let script = Script::of(&[BEGUN, "412 Precondition Failed"]);
    assert!(matches!(sent(&script.google().store, &[5]), Err(Error::Precondition { .. })));
    let script = Script::of(&[BEGUN, "410 Gone"]);
    assert!(matches!(sent(&script.google().store, &[PART, 5]), Err(Error::Generic { .. })));
    let script = Script::of(&["403 Forbidden"]);
    assert!(matches!(sent(&script.google().store, &[5]), Err(Error::PermissionDenied { .. })));
    let script = Script::of(&["503 Busy", "503 Busy", BEGUN, "200 OK"]);
    sent(&script.google().store, &[5]).unwrap();
}

#[test]
fn an_upload_that_is_given_up_is_cancelled_and_its_address_is_shown_nowhere() {
    let script = Script::of(&[BEGUN, "499 Client Closed Request"]);
    let store = script.google().store;
    run(async {
        let mut upload = store.put_multipart(&Path::from("x")).await.unwrap();
        assert!(!format!("{upload:?}").contains("session"));
        upload.abort().await.unwrap();
    });
    assert!(script.asked.lock().unwrap()[1].starts_with("delete /session "));
}

#[test]
fn blocks_of_azure_become_a_blob_by_a_request_whose_condition_is_signed() {
    let signature = |asked: &str| {
        let line = asked.lines().find(|line| line.starts_with("authorization: "));
        line.map(str::to_owned).unwrap_or_default()
    };
    let script = Script::of(&["201 Created", "201 Created\r\netag: \"e\""]);
    let endpoint = format!("{}/account", script.url);
    let keys = [
        ("store.url", "az://container"),
        ("store.azure.account.name", "account"),
        ("store.azure.endpoint", endpoint.as_str()),
    ];
    let key = [("store.azure.account.key", "a2V5")];
    let with_key = open_creator(&parsed(&[&keys[..], &key].concat())).unwrap().unwrap();
    sent(&with_key.store, &[5]).unwrap();
    let asked = script.asked.lock().unwrap().clone();
    assert!(asked[0].contains("comp=block&") && !asked[0].contains("if-none-match"), "{}", asked[0]);
    assert!(asked[1].contains("comp=blocklist ") && asked[1].contains("if-none-match: *\r\n"), "{}", asked[1]);
    assert!(asked[1].contains("x-ms-meta-volleyfile: label\r\n"), "{}", asked[1]);
    assert!(signature(&asked[1]).starts_with("authorization: sharedkey account:"), "{}", asked[1]);
    assert_eq!(asked[1].matches("authorization: ").count(), 1);

    let script = Script::of(&["201 Created", "409 Conflict"]);
    let endpoint = format!("{}/account", script.url);
    let keys = [keys[0], keys[1], ("store.azure.endpoint", endpoint.as_str()), ("store.azure.sas.token", "sv=1&sig=x")];
    let with_token = open_creator(&parsed(&keys)).unwrap().unwrap();
    assert!(matches!(sent(&with_token.store, &[5]), Err(Error::AlreadyExists { .. })));
    let asked = script.asked.lock().unwrap().clone();
    assert!(asked[1].contains("if-none-match: *\r\n") && asked[1].matches("sig=x").count() == 1, "{}", asked[1]);
}
