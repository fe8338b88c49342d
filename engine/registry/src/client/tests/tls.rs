//! Laws of registries behind TLS.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;
use volley_api::{ConfigMap, ErrorKind};
use volley_net::TlsAcceptor;

use super::client;

// Those of volley-net's tests: a certificate for 127.0.0.1 and localhost that signs itself, good until 2126.
const KEY_STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../net/src/tls/testdata/key_store.jks");
const TRUST_STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../net/src/tls/testdata/trust_store.jks");

const TRUST: [(&str, &str); 3] = [
    ("schema.registry.ssl.truststore.location", TRUST_STORE),
    ("schema.registry.ssl.truststore.password", "trust-secret"),
    ("max.retries", "0"),
];

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"schema\":\"s\"}";

/// A registry behind TLS that takes one connection; whether it was asked anything comes out of the thread.
fn tls_registry() -> (u16, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let properties = [
        ("ssl.keystore.location", KEY_STORE),
        ("ssl.keystore.password", "store-secret"),
        ("ssl.key.password", "key-secret"),
    ];
    let properties: ConfigMap = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let acceptor = TlsAcceptor::new(&properties).unwrap();
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = acceptor.accept(tcp).await else { return false };
        let mut request = vec![0; 4096];
        let is_asked = stream.read(&mut request).await.is_ok_and(|length| length > 0);
        is_asked && stream.write_all(ANSWER).await.is_ok() && stream.shutdown().await.is_ok()
    };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    (port, thread::spawn(move || runtime.block_on(serve)))
}

/// A proxy that opens one tunnel, wherever to: it leads to `port`. Where it was asked for comes out of the thread.
fn proxy(port: u16) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port().to_string();
    let serve = move || {
        let (mut here, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(here.try_clone().unwrap()).lines().map_while(Result::ok);
        let asked = lines.next().unwrap();
        lines.find(String::is_empty).unwrap();
        let mut there = TcpStream::connect(("127.0.0.1", port)).unwrap();
        here.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (mut from_here, mut to_there) = (here.try_clone().unwrap(), there.try_clone().unwrap());
        let going = thread::spawn(move || std::io::copy(&mut from_here, &mut to_there));
        let _ = std::io::copy(&mut there, &mut here);
        let _ = here.shutdown(Shutdown::Both);
        let _ = going.join().unwrap();
        asked
    };
    (own, thread::spawn(serve))
}

#[test]
fn a_registry_that_is_trusted_is_asked() {
    let (port, server) = tls_registry();
    let client = client(&[&format!("https://127.0.0.1:{port}")], &TRUST);
    assert_eq!(client.schema_by_id(1).unwrap().text, "s");
    assert!(server.join().unwrap());
}

#[test]
fn a_registry_that_is_not_trusted_is_not_asked() {
    let (port, server) = tls_registry();
    let url = format!("https://127.0.0.1:{port}");
    let error = client(&[&url], &[]).schema_by_id(1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(&url) && error.to_string().contains("`schema.registry.ssl.*`"), "{error}");
    assert!(!server.join().unwrap());
}

#[test]
fn tls_goes_through_a_proxy_without_ending_there() {
    let (port, server) = tls_registry();
    let (proxy_port, proxy) = proxy(port);
    let through = [("proxy.host", "127.0.0.1"), ("proxy.port", proxy_port.as_str())];
    let pairs: Vec<_> = TRUST.into_iter().chain(through).collect();
    assert_eq!(client(&["https://localhost:4711"], &pairs).schema_by_id(1).unwrap().text, "s");
    assert_eq!(proxy.join().unwrap(), "CONNECT localhost:4711 HTTP/1.1");
    assert!(server.join().unwrap());
}
