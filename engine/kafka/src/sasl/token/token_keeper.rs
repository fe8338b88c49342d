//! Keeps a token of an endpoint: fetches it on a thread of its own, renews it before it expires, and tries again while the
//! endpoint is away.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};
use volley_api::{Error, ErrorKind, Result};
use volley_net::random_bytes;

use super::jwt::{self, Token};
use super::refresh_times::RefreshTimes;
use super::token_endpoint::TokenEndpoint;
use crate::group::Backoff;
use crate::wire::block_on;

/// How long an endpoint that refused is left alone, as in Java.
const AFTER_REFUSAL: Duration = Duration::from_secs(10);

/// What is known at a moment; nothing at all until the first answer.
#[derive(Clone, Debug, Default)]
struct Kept {
    token: Option<Arc<Token>>,
    /// When the next one is asked for, in milliseconds since 1970.
    renewed_at: i64,
    failure: Option<Failure>,
}

/// Why the last request gave no token.
#[derive(Clone, Debug)]
struct Failure {
    kind: ErrorKind,
    message: String,
    exception: String,
    at: Instant,
}

impl Failure {
    fn error(&self) -> Error {
        Error::new(self.kind, self.message.clone()).with_exception(self.exception.clone())
    }

    /// Whether it is worth while to ask again before anybody is told.
    fn is_stale(&self) -> bool {
        self.kind != ErrorKind::Retriable && self.at.elapsed() >= AFTER_REFUSAL
    }
}

impl Kept {
    fn valid(&self) -> Option<Arc<Token>> {
        self.token.clone().filter(|token| token.is_valid_at(jwt::now()))
    }
}

/// The token of an endpoint. The thread ends when this is dropped.
pub(crate) struct TokenKeeper {
    name: String,
    kept: watch::Receiver<Kept>,
    /// Somebody wants a token, and there is none.
    wanted: Arc<Notify>,
}

impl fmt::Debug for TokenKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeeper").field("endpoint", &self.name).finish_non_exhaustive()
    }
}

impl TokenKeeper {
    /// Starts the thread, which asks for a token at once.
    pub(super) fn start(endpoint: TokenEndpoint, retry: (Duration, Duration), refresh: RefreshTimes) -> Result<Self> {
        let name = endpoint.name();
        let (tell, kept) = watch::channel(Kept::default());
        let wanted = Arc::new(Notify::new());
        let keeping = Keeping {
            name: name.clone(),
            endpoint,
            retry: Backoff::new(retry.0, retry.1),
            first: retry,
            refresh,
            tell,
        };
        let failed = |error| Error::fatal("could not start the thread that fetches tokens").with_source(error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let want = Arc::clone(&wanted);
        let run = move || runtime.block_on(keeping.run(&want));
        thread::Builder::new().name("token".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { name, kept, wanted })
    }

    /// A token that has not expired, waiting for the first one.
    ///
    /// # Errors
    /// What the endpoint, or the way to it, said last; `Retriable` if nothing is known within `time_limit`.
    ///
    /// # Cancellation
    /// Without effect.
    pub(super) async fn token(&self, time_limit: Duration) -> Result<Arc<Token>> {
        let mut kept = self.kept.clone();
        let stale = {
            let now = kept.borrow_and_update();
            match (now.valid(), &now.failure) {
                (Some(token), _) => return Ok(token),
                (None, Some(failure)) if !failure.is_stale() => return Err(failure.error()),
                (None, failure) => failure.as_ref().map(|failure| failure.at),
            }
        };
        self.wanted.notify_one();
        let is_told = |kept: &Kept| {
            kept.valid().is_some() || kept.failure.as_ref().is_some_and(|failure| Some(failure.at) != stale)
        };
        let told = timeout(time_limit, kept.wait_for(is_told)).await;
        let told = told.ok().and_then(std::result::Result::ok).map(|kept| kept.clone());
        match told.map(|kept| (kept.valid(), kept.failure)) {
            Some((Some(token), _)) => Ok(token),
            Some((None, Some(failure))) => Err(failure.error()),
            _ => Err(Error::retriable(format!(
                "the token endpoint {} (`{}`) has not answered within {time_limit:?}",
                self.name,
                super::token_options::ENDPOINT
            ))),
        }
    }

    /// When the next token is asked for, in milliseconds since 1970.
    pub(super) fn renewed_at(&self) -> i64 {
        self.kept.borrow().renewed_at
    }

    /// As [`TokenKeeper::token`], for callers that block.
    pub(super) fn token_blocking(&self, time_limit: Duration) -> Result<Arc<Token>> {
        // Looked at before: nobody can be told anything while it is being looked at.
        let valid = self.kept.borrow().valid();
        match valid {
            Some(token) => Ok(token),
            None => block_on(|| self.token(time_limit)),
        }
    }
}

/// The thread's own.
struct Keeping {
    name: String,
    endpoint: TokenEndpoint,
    retry: Backoff,
    first: (Duration, Duration),
    refresh: RefreshTimes,
    tell: watch::Sender<Kept>,
}

impl Keeping {
    /// Until nobody wants tokens any more.
    async fn run(mut self, wanted: &Notify) {
        loop {
            let outcome = tokio::select! {
                () = self.tell.closed() => return,
                outcome = self.endpoint.fetch() => outcome,
            };
            let is_refused = outcome.as_ref().is_err_and(|error| !error.is_retriable());
            let pause = match outcome {
                Ok(token) => self.keep(token),
                Err(error) => self.failed(&error),
            };
            tokio::select! {
                () = self.tell.closed() => return,
                () = sleep(pause) => {}
            }
            // Who was refused asks again only for somebody: an account may be locked otherwise.
            if is_refused && self.tell.borrow().valid().is_none() {
                tokio::select! {
                    () = self.tell.closed() => return,
                    () = wanted.notified() => {}
                }
            }
        }
    }

    fn keep(&mut self, token: Arc<Token>) -> Duration {
        let now = jwt::now();
        let pause = self.refresh.pause(token.issued_at, token.expires_at, now, random_part());
        let lives = (token.expires_at - now) / 1000;
        if self.tell.borrow().failure.is_some() {
            info!(endpoint = self.name, "the token endpoint gives tokens again");
        }
        debug!(endpoint = self.name, expires_in_seconds = lives, renewed_in_ms = pause, "token fetched");
        self.retry = Backoff::new(self.first.0, self.first.1);
        self.tell.send_replace(Kept { token: Some(token), renewed_at: now.saturating_add(pause), failure: None });
        Duration::from_millis(pause.unsigned_abs())
    }

    fn failed(&mut self, error: &Error) -> Duration {
        let is_first = self.tell.borrow().failure.is_none();
        if is_first {
            warn!(endpoint = self.name, %error, "no token from the token endpoint");
        } else {
            debug!(endpoint = self.name, %error, "still no token from the token endpoint");
        }
        let failure = Failure {
            kind: error.kind(),
            message: error.to_string(),
            exception: error.exception().to_owned(),
            at: Instant::now(),
        };
        self.tell.send_modify(|kept| kept.failure = Some(failure));
        if error.is_retriable() { self.retry.next() } else { AFTER_REFUSAL }
    }
}

/// From 0 to 1. Without randomness, the middle: that is never worth an error.
fn random_part() -> f64 {
    match random_bytes(1).as_deref() {
        Ok([byte]) => f64::from(*byte) / 255.0,
        _ => 0.5,
    }
}
