//! The state of a client's connection to the cluster: up, down, or refused until the cluster answers again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;
use tracing::{debug, info, warn};
use volley_api::{ConfigMap, Error, ErrorKind, Result};

use crate::broker_error;
use crate::outage::GrowingPause;
use crate::sasl::{self, TokenSource};

/// How long a polled client may wait for its first token. Without a token, librdkafka asks again after 10 s.
const TOKEN_PATIENCE: Duration = Duration::from_secs(3);

/// Part of librdkafka's message when the client has no token.
const NO_TOKEN: &str = "Failed to acquire SASL OAUTHBEARER token";

/// Part of librdkafka's message when a broker gets a second token within a second.
const TOO_SOON: &str = "Request not valid in current SASL state";

const SSL_FAILED: &str = "org.apache.kafka.common.errors.SslAuthenticationException";

/// Largest rest of a token's lifetime at which its replacement counts as late, and how long after the replacement
/// errors about the old token may still arrive, in milliseconds.
const LATE: i64 = 1_000;
const TALE: i64 = 5_000;

/// A token for librdkafka, or the reason why there is none.
pub(crate) type Granted = std::result::Result<OAuthToken, Box<dyn std::error::Error>>;

/// Shared by a client and the callbacks of its threads. Logs each change between reachable and unreachable. Repeats the
/// log line during a long outage.
#[derive(Debug)]
pub(crate) struct Connection {
    client: String,
    servers: String,
    down: AtomicBool,
    /// Whether the cluster has ever answered.
    was_up: AtomicBool,
    /// The time of the next log line about the outage, and the pause after it.
    next_report: Mutex<Option<(Instant, GrowingPause)>>,
    last_failure: Mutex<String>,
    /// Whether `refusal` is set. It is an atomic because it is read for every message.
    is_refused: AtomicBool,
    refusal: Mutex<Option<(Code, String)>>,
    tokens: Option<TokenSource>,
    /// The reason why there is no token; `None` once there is one.
    token_refusal: Mutex<Option<String>>,
    /// The token that librdkafka has.
    shown: Mutex<ShownToken>,
}

/// The times of a token that librdkafka got, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
struct ShownToken {
    expires_at: i64,
    given_at: i64,
    /// Expiry of the previous token.
    previous_expired_at: i64,
}

impl ShownToken {
    /// Whether a broker may have refused a token because it had expired. The refusal may be reported after librdkafka
    /// got the next token.
    fn may_have_expired(&self, now: i64) -> bool {
        let was_late = self.previous_expired_at <= self.given_at + LATE;
        now >= self.expires_at || (was_late && now < self.given_at + TALE)
    }
}

impl Connection {
    /// For a client with these Java `properties`, translated to librdkafka's `config`.
    ///
    /// # Errors
    /// `Config` if the client needs tokens and has no valid source of them.
    pub(crate) fn of_client(properties: &ConfigMap, config: &ClientConfig) -> Result<Arc<Self>> {
        let client = config.get("client.id").unwrap_or("volley");
        let mut connection = Self::new(client, config.get("bootstrap.servers").unwrap_or_default());
        connection.tokens = sasl::token_source(properties)?;
        Ok(Arc::new(connection))
    }

    fn new(client: impl Into<String>, servers: impl Into<String>) -> Self {
        Self {
            client: client.into(),
            servers: servers.into(),
            down: AtomicBool::new(false),
            was_up: AtomicBool::new(false),
            next_report: Mutex::default(),
            last_failure: Mutex::default(),
            is_refused: AtomicBool::new(false),
            refusal: Mutex::default(),
            tokens: None,
            token_refusal: Mutex::default(),
            shown: Mutex::default(),
        }
    }

    /// The name of the client in the logs.
    pub(crate) fn client(&self) -> &str {
        &self.client
    }

    /// Takes an error event of librdkafka.
    pub(crate) fn report(&self, error: &KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        match code {
            // Already logged, with the reason.
            Code::Authentication if reason.contains(NO_TOKEN) => {}
            // The client showed the next token too soon after the last one; it can log in on a new connection.
            Code::Authentication if self.shows_tokens() && reason.contains(TOO_SOON) => self.mark_down(reason),
            // The broker refuses an expired token; a new one may come.
            code if broker_error::is_authentication(code) && self.has_expired_token() => self.mark_down(reason),
            code if broker_error::is_authentication(code) || is_certificate_refused(code, reason) => {
                warn!(client = self.client, servers = self.servers, reason, "kafka refuses the client");
                let mut refusal = self.refusal.lock();
                *refusal = Some((code, reason.to_owned()));
                self.is_refused.store(true, Ordering::Relaxed);
            }
            Code::PartitionEOF => {}
            Code::AllBrokersDown => self.mark_down(reason),
            Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut | Code::SSL => {
                debug!(client = self.client, reason, "broker connection failed");
                reason.clone_into(&mut self.last_failure.lock());
                if code == Code::SSL {
                    self.mark_down(reason);
                }
            }
            _ => debug!(client = self.client, %error, reason, "kafka client error"),
        }
    }

    fn mark_down(&self, reason: &str) {
        // The failure of the last broker says more than "all brokers are down".
        let mut last_failure = self.last_failure.lock();
        if last_failure.is_empty() {
            reason.clone_into(&mut last_failure);
        }
        let reason = last_failure.as_str();
        if self.is_report_due(!self.down.swap(true, Ordering::Relaxed)) {
            warn!(client = self.client, servers = self.servers, reason, "kafka cannot be reached, retrying");
        }
    }

    /// A broker closes the connection without an error when the client uses the wrong security protocol.
    fn note_hang_up(&self, line: &str) {
        let line = without_thread(line);
        *self.last_failure.lock() = match self.was_up.load(Ordering::Relaxed) {
            true => line.to_owned(),
            false => format!("{line}; does `security.protocol` fit its listener?"),
        };
    }

    /// Whether to log an outage: when it begins, and then after growing pauses.
    fn is_report_due(&self, begins: bool) -> bool {
        let mut next_report = self.next_report.lock();
        let (due, mut pause) = match *next_report {
            Some(report) if !begins => report,
            _ => (Instant::now(), GrowingPause::default()),
        };
        let is_due = due <= Instant::now();
        if is_due {
            let next = Instant::now() + pause.next();
            *next_report = Some((next, pause));
        }
        is_due
    }

    /// Whether the client logs in with tokens.
    pub(crate) fn shows_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    fn has_expired_token(&self) -> bool {
        self.shows_tokens() && self.shown.lock().may_have_expired(sasl::now())
    }

    /// A token for librdkafka, which requests one when the client is polled.
    pub(crate) fn oauth_token(&self) -> Granted {
        let Some(tokens) = &self.tokens else { return Err("no token is configured".into()) };
        match tokens.token_blocking(TOKEN_PATIENCE) {
            Ok(token) => {
                *self.token_refusal.lock() = None;
                let mut shown = self.shown.lock();
                let (expires_at, given_at) = (token.expires_at, sasl::now());
                *shown = ShownToken { expires_at, given_at, previous_expired_at: shown.expires_at };
                Ok(OAuthToken {
                    token: token.text.reveal().to_owned(),
                    principal_name: token.principal.clone(),
                    lifetime_ms: tokens.told_expiry(&token),
                })
            }
            Err(error) => {
                let reason = error.to_string().replace('\0', "");
                reason.clone_into(&mut self.last_failure.lock());
                if error.is_retriable() {
                    self.mark_down(&reason);
                } else {
                    warn!(client = self.client, reason, "no token to log in to kafka with");
                    *self.token_refusal.lock() = Some(reason.clone());
                }
                Err(reason.into())
            }
        }
    }

    /// Whether the cluster is known to be unreachable, or to refuse the client.
    pub(crate) fn is_broken(&self) -> bool {
        self.down.load(Ordering::Relaxed) || self.refusal.lock().is_some() || self.token_refusal.lock().is_some()
    }

    /// Notes that the cluster has answered. This ends an earlier refusal.
    pub(crate) fn mark_up(&self) {
        // read before written, since this runs for every message
        if !self.was_up.load(Ordering::Relaxed) {
            self.was_up.store(true, Ordering::Relaxed);
        }
        if self.is_refused.load(Ordering::Relaxed) {
            let mut refusal = self.refusal.lock();
            self.is_refused.store(false, Ordering::Relaxed);
            if refusal.take().is_some() {
                info!(client = self.client, servers = self.servers, "kafka accepts the client again");
            }
        }
        if self.down.load(Ordering::Relaxed) && self.down.swap(false, Ordering::Relaxed) {
            info!(client = self.client, servers = self.servers, "kafka can be reached again");
        }
    }

    /// Fails if the cluster has refused this client.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(reason) = &*self.token_refusal.lock() {
            let error = broker_error::from_code(&format!("log in to kafka at {}", self.servers), Code::Authentication);
            return Err(Error::new(ErrorKind::Config, format!("could not log in to kafka at {}", self.servers))
                .with_exception(error.exception().to_owned())
                .with_source(reason.clone()));
        }
        match &*self.refusal.lock() {
            None => Ok(()),
            Some((Code::SSL, reason)) => Err(Error::config(format!(
                "TLS with kafka at {} failed: a certificate is refused; check the trust store (`ssl.truststore.*`), the key store \
                 (`ssl.keystore.*`) and the broker's certificate",
                self.servers
            ))
            .with_exception(SSL_FAILED)
            .with_source(reason.clone())),
            Some((code, reason)) => {
                let action = format!("log in to kafka at {}", self.servers);
                let error = broker_error::from_code(&action, *code);
                Err(match words_of_broker(reason) {
                    Some(words) => Error::new(error.kind(), words)
                        .with_exception(error.exception().to_owned())
                        .with_place(format!("login of client {} to kafka at {}", self.client, self.servers)),
                    None => error.with_source(reason.clone()),
                })
            }
        }
    }

    /// The outcome of a request. A refusal takes precedence over the time-out that it caused.
    pub(crate) fn outcome<T>(&self, action: &str, result: rdkafka::error::KafkaResult<T>) -> Result<T> {
        match result {
            Ok(answer) => {
                self.mark_up();
                Ok(answer)
            }
            Err(error) => {
                self.check()?;
                Err(self.explain(broker_error::from_client(action, &error)))
            }
        }
    }

    fn explain(&self, error: Error) -> Error {
        if error.is_retriable() && self.down.load(Ordering::Relaxed) {
            let reason = self.last_failure.lock().clone();
            return error.with_source(format!("kafka cannot be reached at {}: {reason}", self.servers));
        }
        error
    }

    /// Takes a log line of librdkafka. Most connection failures also come as events, which are counted; their lines are
    /// logged at debug level. A disconnect comes as a line only.
    pub(crate) fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        let client = self.client.as_str();
        if facility == "FAIL" && line.contains("Disconnected") {
            self.note_hang_up(line);
        }
        match level {
            _ if matches!(facility, "FAIL" | "ERROR" | "BRKMAIN") => {
                debug!(target: "librdkafka", client, facility, "{line}");
            }
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => warn!(target: "librdkafka", client, facility, "{line}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                debug!(target: "librdkafka", client, facility, "{line}");
            }
        }
    }
}

/// Whether either side refuses the other's certificate (an expired one, for instance), which Java's clients do not try again.
/// Handshakes end for other reasons too, as when a broker is shut down.
fn is_certificate_refused(code: Code, reason: &str) -> bool {
    code == Code::SSL && reason.contains("certificate")
}

/// A line of librdkafka without the thread that wrote it.
fn without_thread(line: &str) -> &str {
    line.strip_prefix("[thrd:").and_then(|rest| rest.split_once("]: ")).map_or(line, |(_, line)| line)
}

/// The broker's message about a failed login, taken out of librdkafka's text around it.
fn words_of_broker(reason: &str) -> Option<&str> {
    let (_, words) = reason.split_once("SASL authentication error: ")?;
    Some(words.split_once(" (after ").map_or(words, |(words, _)| words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_only_if_the_token_had_not_expired() {
        let shown = ShownToken { expires_at: 100_000, given_at: 50_000, previous_expired_at: 60_000 };
        assert!(!shown.may_have_expired(51_000) && !shown.may_have_expired(99_999));
        assert!(shown.may_have_expired(100_000));
        let late = ShownToken { previous_expired_at: 50_500, ..shown };
        assert!(late.may_have_expired(51_000) && !late.may_have_expired(56_000));
    }

    #[test]
    fn a_refusal_is_reported_by_every_later_call_with_its_reason() {
        let connection = Connection::new("c", "a:1");
        assert!(connection.check().is_ok());
        connection.report(&KafkaError::Global(Code::Authentication), "invalid credentials");
        let error = connection.outcome::<()>("commit", Err(KafkaError::ConsumerCommit(Code::OperationTimedOut)));
        let trace = error.map_err(|error| error.trace());
        assert!(trace.is_err_and(|trace| trace.contains("a:1") && trace.contains("invalid credentials")));
    }

    #[test]
    fn a_certificate_that_is_refused_ends_the_client_and_a_handshake_that_breaks_off_does_not() {
        let connection = Connection::new("c", "a:1");
        connection.report(&KafkaError::Global(Code::SSL), "SSL handshake failed: Disconnected");
        assert!(connection.check().is_ok());
        connection
            .report(&KafkaError::Global(Code::SSL), "SSL handshake failed: certificate verify failed: it has expired");
        let error = connection.check().unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.trace().contains("expired"), "{error:?}");
    }

    #[test]
    fn a_refusal_is_forgotten_when_the_cluster_answers() {
        let connection = Connection::new("c", "a:1");
        connection.report(&KafkaError::Global(Code::Authentication), "the password is being changed");
        connection.mark_up();
        assert!(connection.check().is_ok() && !connection.is_broken());
        connection.report(&KafkaError::Global(Code::Authentication), "invalid credentials");
        assert!(connection.check().is_err(), "and a new one counts");
    }
    #[test]
    fn a_refused_login_is_told_in_the_broker_s_words() {
        let connection = Connection::new("c", "a:1");
        let reason = "sasl_plaintext://a:1/bootstrap: SASL authentication error: Authentication failed: Invalid username \
                      or password (after 5ms in state AUTH_REQ)";
        connection.report(&KafkaError::Global(Code::Authentication), reason);
        let trace = connection.check().map_err(|error| error.trace());
        let class = "org.apache.kafka.common.errors.SaslAuthenticationException";
        let expected = format!(
            "{class}: Authentication failed: Invalid username or password\n\tat login of client c to kafka at a:1"
        );
        assert_eq!(trace, Err(expected));
    }

    #[test]
    fn a_broker_that_hangs_up_at_once_may_want_another_protocol() {
        let connection = Connection::new("c", "a:1");
        let line = "[thrd:a:1/bootstrap]: a:1/bootstrap: Disconnected: connection closed by peer";
        connection.log(RDKafkaLogLevel::Info, "FAIL", line);
        let hint = "a:1/bootstrap: Disconnected: connection closed by peer; does `security.protocol` fit its listener?";
        assert_eq!(*connection.last_failure.lock(), hint);
        connection.mark_up();
        connection.log(RDKafkaLogLevel::Info, "FAIL", line);
        assert!(!connection.last_failure.lock().contains("security.protocol"));
    }

    #[test]
    fn an_outage_is_told_when_it_begins_and_not_again_at_once() {
        let connection = Connection::new("c", "a:1");
        assert!(connection.is_report_due(true) && !connection.is_report_due(false));
        assert!(connection.is_report_due(true), "another outage");
    }
}
