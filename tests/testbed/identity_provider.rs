//! An identity provider: gives signed tokens to the client that knows the secret, and its public key to brokers.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::X509;
use serde_json::json;

use super::server_process::free_port;

const CLIENT: &str = "volley-client:top:s3cret/ü";

/// Signs tokens.
#[derive(Clone)]
pub(crate) struct TokenKey(PKey<Private>);

impl TokenKey {
    pub(crate) fn generate() -> Self {
        Self(PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
    }

    /// The public key as brokers read it.
    pub(crate) fn jwks(&self) -> String {
        let rsa = self.0.rsa().unwrap();
        let number = |number: &openssl::bn::BigNumRef| URL_SAFE_NO_PAD.encode(number.to_vec());
        let key = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "test", "n": number(rsa.n()), "e": number(rsa.e()),
        });
        json!({"keys": [key]}).to_string()
    }

    /// A token about somebody that is good for so long.
    #[expect(clippy::disallowed_methods, reason = "a token says when it was given, by the clock of the broker")]
    pub(crate) fn token(&self, subject: &str, life: Duration) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let header = json!({"alg": "RS256", "kid": "test"}).to_string();
        let claims = json!({"sub": subject, "iat": now.as_secs(), "exp": (now + life).as_secs(), "scope": "kafka"});
        let body = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0).unwrap();
        let signature = signer.sign_oneshot_to_vec(body.as_bytes()).unwrap();
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The token endpoint, on a port of 127.0.0.1.
pub(crate) struct IdentityProvider {
    state: Arc<State>,
    scheme: &'static str,
    port: u16,
}

struct State {
    key: TokenKey,
    life: AtomicU64,
    issued: AtomicUsize,
    refused: AtomicUsize,
    stopped: AtomicBool,
    tls: Option<SslAcceptor>,
}

impl IdentityProvider {
    /// One whose tokens are good for `life`.
    pub(crate) fn start(key: &TokenKey, life: Duration) -> Self {
        Self::start_at(free_port(), key, life, None)
    }

    /// The same over TLS, with a key and a certificate in PEM.
    pub(crate) fn start_tls(key: &TokenKey, life: Duration, private_key: &str, certificate: &str) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        acceptor.set_private_key(&PKey::private_key_from_pem(private_key.as_bytes()).unwrap()).unwrap();
        acceptor.set_certificate(&X509::from_pem(certificate.as_bytes()).unwrap()).unwrap();
        Self::start_at(free_port(), key, life, Some(acceptor.build()))
    }

    /// On that port.
    pub(crate) fn start_at(port: u16, key: &TokenKey, life: Duration, tls: Option<SslAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let state = Arc::new(State {
            key: key.clone(),
            life: AtomicU64::new(life.as_secs()),
            issued: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            tls,
        });
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { state, scheme, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}/realms/test/token", self.scheme, self.port)
    }

    /// The client's id and secret.
    pub(crate) fn client() -> (&'static str, &'static str) {
        CLIENT.split_once(':').unwrap()
    }

    /// How many tokens it has given.
    pub(crate) fn issued(&self) -> usize {
        self.state.issued.load(Ordering::Relaxed)
    }

    /// How many requests it has refused.
    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::Relaxed)
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn serve(&self, stream: TcpStream) {
        match &self.tls {
            None => self.answer(stream),
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream) {
                    self.answer(stream);
                }
            }
        }
    }

    fn answer(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        let Some((request, headers, body)) = request(&mut stream) else { return };
        let (status, answer) = self.judge(&request, &headers, &body);
        let text = answer.to_string();
        let _ = write!(
            stream.get_mut(),
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        let _ = stream.get_mut().flush();
    }

    fn judge(&self, request: &str, headers: &HashMap<String, String>, body: &str) -> (&'static str, serde_json::Value) {
        let header = |name: &str| headers.get(name).map_or("", String::as_str);
        if request != "POST /realms/test/token HTTP/1.1" {
            return ("404 Not Found", json!({}));
        }
        let is_form = header("content-type") == "application/x-www-form-urlencoded";
        if !is_form || body != "grant_type=client_credentials&scope=kafka+write" {
            return ("400 Bad Request", json!({"error": "invalid_request"}));
        }
        if header("authorization") != format!("Basic {}", STANDARD.encode(CLIENT)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return ("401 Unauthorized", json!({"error": "invalid_client", "error_description": "not this secret"}));
        }
        self.issued.fetch_add(1, Ordering::Relaxed);
        let life = Duration::from_secs(self.life.load(Ordering::Relaxed));
        let token = self.key.token("alice", life);
        ("200 OK", json!({"access_token": token, "token_type": "Bearer", "expires_in": life.as_secs()}))
    }
}

fn request(stream: &mut impl BufRead) -> Option<(String, HashMap<String, String>, String)> {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let request = line()?;
    let mut headers = HashMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((request, headers, String::from_utf8(body).ok()?))
}
