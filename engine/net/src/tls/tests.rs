use std::fs;
use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use volley_api::{ConfigMap, ErrorKind, Result};

use super::jks;
use super::stores::Passwords;
use super::{TlsAcceptor, TlsConnector, TlsStream};

// Java's keytool made these: an elliptic key under `key-secret` with a certificate for 127.0.0.1 and localhost that signs
// itself, good until 2126, and stores that trust it. The passwords of the stores are `store-secret` and `trust-secret`.
const KEY_STORE_JKS: &[u8] = include_bytes!("testdata/key_store.jks");
const TRUST_STORE_JKS: &[u8] = include_bytes!("testdata/trust_store.jks");
const TRUST_STORE_PKCS12: &[u8] = include_bytes!("testdata/trust_store.p12");

fn properties(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A key and a certificate for `localhost` that signs itself.
struct Identity {
    key: PKey<Private>,
    certificate: X509,
}

impl Identity {
    fn new(common_name: &str) -> Self {
        let key = PKey::ec_gen("prime256v1").unwrap();
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&name(common_name)).unwrap();
        builder.set_issuer_name(&name(common_name)).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        let names = SubjectAlternativeName::new().dns("localhost").build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { key, certificate: builder.build() }
    }

    fn certificate_pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }

    fn encrypted_key_pem(&self, password: &str) -> String {
        let pem = self.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), password.as_bytes());
        String::from_utf8(pem.unwrap()).unwrap()
    }

    fn pkcs12(&self, password: &str) -> Vec<u8> {
        let mut builder = Pkcs12::builder();
        builder.name("me").pkey(&self.key).cert(&self.certificate);
        builder.build2(password).unwrap().to_der().unwrap()
    }

    /// As the keys of a server or a client that shows this identity.
    fn shown(&self) -> ConfigMap {
        properties(&[
            ("ssl.keystore.key", &self.key_pem()),
            ("ssl.keystore.certificate.chain", &self.certificate_pem()),
        ])
    }

    /// As the keys of one who trusts this identity.
    fn trusted(&self) -> ConfigMap {
        properties(&[("ssl.truststore.certificates", &self.certificate_pem())])
    }
}

fn name(common_name: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", common_name).unwrap();
    name.build()
}

fn file(directory: &TempDir, name: &str, contents: &[u8]) -> String {
    let path = directory.path().join(name);
    fs::write(&path, contents).unwrap();
    path.display().to_string()
}

/// Both ends of a connection to `host`, or why each failed; a byte has gone each way.
async fn connect(server: &ConfigMap, client: &ConfigMap, host: &str) -> (Result<TlsStream>, Result<TlsStream>) {
    let (acceptor, connector) = (TlsAcceptor::new(server).unwrap(), TlsConnector::new(client).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to_server = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (to_client, _) = listener.accept().await.unwrap();
    let taking = async {
        let mut stream = acceptor.accept(to_client).await?;
        let greeted = stream.write_all(b"!").await.is_ok() && stream.read_u8().await.is_ok();
        Ok((stream, greeted))
    };
    let opening = async {
        let mut stream = connector.connect(host, to_server).await?;
        let greeted = stream.write_all(b"?").await.is_ok() && stream.read_u8().await.is_ok();
        Ok((stream, greeted))
    };
    let (taken, opened) = tokio::join!(taking, opening);
    let whole = |end: Result<(TlsStream, bool)>| end.map(|(stream, _)| stream);
    if let (Ok((_, taken)), Ok((_, opened))) = (&taken, &opened) {
        assert!(*taken && *opened, "the handshake is over, but no byte comes through");
    }
    (whole(taken), whole(opened))
}

async fn succeeds(server: &ConfigMap, client: &ConfigMap, host: &str) -> TlsStream {
    let (taken, opened) = connect(server, client, host).await;
    opened.unwrap();
    taken.unwrap()
}

#[tokio::test]
async fn stores_made_by_keytool_make_a_connection_whatever_type_is_declared() {
    let directory = tempfile::tempdir().unwrap();
    let server = properties(&[
        ("ssl.keystore.location", &file(&directory, "k.jks", KEY_STORE_JKS)),
        ("ssl.keystore.password", "store-secret"),
        ("ssl.key.password", "key-secret"),
    ]);
    let trust = |location: &str| {
        properties(&[
            ("ssl.truststore.type", "JKS"),
            ("ssl.truststore.location", location),
            ("ssl.truststore.password", "trust-secret"),
        ])
    };
    let jks = trust(&file(&directory, "t.jks", TRUST_STORE_JKS));
    succeeds(&server, &jks, "127.0.0.1").await;
    let pkcs12 = trust(&file(&directory, "t.jks", TRUST_STORE_PKCS12));
    succeeds(&server, &pkcs12, "localhost").await;
}

#[tokio::test]
async fn a_pkcs12_key_store_an_encrypted_pem_file_and_texts_on_one_line_are_the_same_to_a_client() {
    let directory = tempfile::tempdir().unwrap();
    let identity = Identity::new("me");
    let pkcs12 = properties(&[
        ("ssl.keystore.location", &file(&directory, "me.jks", &identity.pkcs12("hush"))),
        ("ssl.keystore.password", "hush"),
    ]);
    let pem = format!("{}{}", identity.certificate_pem(), identity.encrypted_key_pem("hush"));
    let pem = properties(&[
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", &file(&directory, "me.pem", pem.as_bytes())),
        ("ssl.key.password", "hush"),
    ]);
    let text = properties(&[
        ("ssl.keystore.key", &identity.encrypted_key_pem("hush").replace('\n', " ")),
        ("ssl.keystore.certificate.chain", &identity.certificate_pem().replace('\n', " ")),
        ("ssl.key.password", "hush"),
    ]);
    for server in [pkcs12, pem, text] {
        succeeds(&server, &identity.trusted(), "localhost").await;
    }
}

#[tokio::test]
async fn a_server_is_believed_only_under_the_name_in_its_certificate_unless_names_do_not_count() {
    let identity = Identity::new("me");
    let (_, opened) = connect(&identity.shown(), &identity.trusted(), "127.0.0.1").await;
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("IP address mismatch"), "{error}");
    let (_, opened) = connect(&identity.shown(), &identity.trusted(), "elsewhere").await;
    assert!(opened.unwrap_err().to_string().contains("hostname mismatch"));
    let mut any_name = identity.trusted();
    any_name.insert("ssl.endpoint.identification.algorithm".to_owned(), String::new());
    succeeds(&identity.shown(), &any_name, "elsewhere").await;
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused_with_the_reason() {
    let identity = Identity::new("me");
    for client in [Identity::new("me").trusted(), ConfigMap::new()] {
        let (_, opened) = connect(&identity.shown(), &client, "localhost").await;
        let error = opened.unwrap_err();
        assert!(error.to_string().contains("not trusted") && error.kind() == ErrorKind::Config, "{error}");
    }
}

#[tokio::test]
async fn client_auth_says_whether_a_client_must_show_a_certificate() {
    let (server, client) = (Identity::new("server"), Identity::new("client"));
    let mut with = server.trusted();
    with.extend(client.shown());
    let without = server.trusted();
    let mut asking = server.shown();
    asking.extend(client.trusted());
    for (auth, anonymous_may) in [("none", true), ("requested", true), ("required", false)] {
        asking.insert("ssl.client.auth".to_owned(), auth.to_owned());
        let stream = succeeds(&asking, &with, "localhost").await;
        assert_eq!(stream.has_peer_certificate(), auth != "none", "{auth}");
        let (taken, _) = connect(&asking, &without, "localhost").await;
        assert_eq!(taken.is_ok(), anonymous_may, "{auth}: {:?}", taken.err());
    }
    let mut stranger = server.trusted();
    stranger.extend(Identity::new("stranger").shown());
    let (taken, _) = connect(&asking, &stranger, "localhost").await;
    assert!(taken.unwrap_err().to_string().contains("not trusted"));
}

#[tokio::test]
async fn protocols_and_suites_are_those_listed() {
    let identity = Identity::new("me");
    let mut client = identity.trusted();
    client.insert("ssl.enabled.protocols".to_owned(), "TLSv1.2".to_owned());
    assert_eq!(succeeds(&identity.shown(), &client, "localhost").await.version(), "TLSv1.2");
    client.insert("ssl.enabled.protocols".to_owned(), "TLSv1.2,TLSv1.3".to_owned());
    assert_eq!(succeeds(&identity.shown(), &client, "localhost").await.version(), "TLSv1.3");
    let older = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    client.insert("ssl.cipher.suites".to_owned(), older.to_owned());
    assert_eq!(succeeds(&identity.shown(), &client, "localhost").await.version(), "TLSv1.2");
    client.insert("ssl.cipher.suites".to_owned(), "TLS_NO_SUCH_THING".to_owned());
    assert!(TlsConnector::new(&client).unwrap_err().to_string().contains("ssl.cipher.suites"));
    client.insert("ssl.enabled.protocols".to_owned(), "SSLv3".to_owned());
    assert!(TlsConnector::new(&client).unwrap_err().to_string().contains("SSLv3"));
}

#[test]
fn what_cannot_be_read_is_named_with_the_reason_and_without_passwords() {
    let directory = tempfile::tempdir().unwrap();
    let identity = Identity::new("me");
    let jks = file(&directory, "k.jks", KEY_STORE_JKS);
    let pkcs12 = file(&directory, "k.p12", &identity.pkcs12("right"));
    let pem = file(&directory, "k.pem", identity.encrypted_key_pem("right").as_bytes());
    let no_key = file(&directory, "c.pem", identity.certificate_pem().as_bytes());
    let missing = directory.path().join("missing").display().to_string();
    let cases = [
        (&jks, vec![("ssl.keystore.password", "hush")], "password"),
        (&jks, vec![("ssl.keystore.password", "store-secret")], "ssl.key.password"),
        (&jks, vec![], "ssl.key.password"),
        (&pkcs12, vec![("ssl.keystore.password", "hush")], "its password is another one"),
        (&pkcs12, vec![], "none is set"),
        (&pem, vec![("ssl.key.password", "hush")], "cannot be decrypted"),
        (&pem, vec![], "`ssl.key.password` is not set"),
        (&no_key, vec![], "no private key"),
        (&missing, vec![], "No such file"),
    ];
    for (location, mut pairs, reason) in cases {
        pairs.push(("ssl.keystore.location", location));
        let error = TlsConnector::new(&properties(&pairs)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let trace = error.trace();
        assert!(trace.contains(reason) && trace.contains(location.as_str()) && !trace.contains("hush"), "{trace}");
    }
    let nonsense = file(&directory, "nonsense", b"hello");
    let error = TlsConnector::new(&properties(&[("ssl.truststore.location", &nonsense)])).unwrap_err();
    assert!(error.to_string().contains("neither PEM nor PKCS#12 nor JKS"), "{error}");
    let error = TlsAcceptor::new(&ConfigMap::new()).unwrap_err();
    assert!(error.to_string().contains("ssl.keystore.location"), "{error}");
}

#[test]
fn a_chain_is_put_in_order_and_strangers_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let (me, stranger) = (Identity::new("me"), Identity::new("stranger"));
    let pem = format!("{}{}{}", stranger.certificate_pem(), me.key_pem(), me.certificate_pem());
    let location = file(&directory, "me.pem", pem.as_bytes());
    let store = super::stores::key_store(&properties(&[("ssl.keystore.location", &location)])).unwrap().unwrap();
    assert_eq!(store.chain.len(), 1);
    assert_eq!(store.chain[0].to_der().unwrap(), me.certificate.to_der().unwrap());
}

#[tokio::test]
async fn a_peer_that_does_not_speak_tls_is_reported() {
    let connector = TlsConnector::new(&ConfigMap::new()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to_server = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut to_client, _) = listener.accept().await.unwrap();
    to_client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    assert!(connector.connect("localhost", to_server).await.is_err());
    let to_server = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    drop(listener.accept().await.unwrap());
    assert!(connector.connect("localhost", to_server).await.unwrap_err().is_retriable());
}

proptest! {
    #[test]
    fn no_damaged_jks_store_panics(at in 0_usize..539, byte: u8, length in 0_usize..539) {
        let mut store = KEY_STORE_JKS.to_vec();
        store[at] = byte;
        store.truncate(length);
        let _ = jks::open(&store, &Passwords { store: None, key: Some("key-secret") });
        let _ = jks::open_certificates(&store, &Passwords { store: Some("store-secret"), key: None });
    }
}

#[test]
fn the_system_is_trusted_where_it_has_a_bundle() {
    if Path::new("/etc/ssl/certs/ca-certificates.crt").is_file() {
        TlsConnector::new(&ConfigMap::new()).unwrap();
    }
}
