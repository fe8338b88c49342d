//! One connection to one broker.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::{ApiVersionsRequest, SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use volley_api::{Error, Result};
use volley_net::tls_refusal;

use super::api::Api;
use super::codec;
use super::settings::{Address, ConnectionSettings};
use super::transport::Transport;
use super::versions::Versions;
use crate::sasl::{self, Credentials, Exchange, Step};

const SOFTWARE: &str = "volley";
const API_VERSIONS: i16 = 3;
/// Brokers let nobody authenticate again within a second.
const SHORTEST_SESSION: Duration = Duration::from_millis(1_100);
const UNSUPPORTED_MECHANISM: &str = "org.apache.kafka.common.errors.UnsupportedSaslMechanismException";

/// An open connection, on which the broker knows who we are. One request at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    address: Address,
    transport: Transport,
    versions: Versions,
    client_id: StrBytes,
    next_correlation_id: i32,
    request_timeout: Duration,
    credentials: Option<Credentials>,
    authenticate_again_at: Option<Instant>,
    /// Whether anything was answered but which versions the broker has: those it tells anybody.
    is_accepted: bool,
    is_broken: bool,
}

impl Connection {
    /// Connects, negotiates versions and authenticates.
    ///
    /// # Errors
    /// `Retriable` if the broker cannot be reached or does not answer in time; `Config` if either side refuses the other;
    /// `Fatal` if they have no version in common.
    ///
    /// # Cancellation
    /// Dropping the future closes the connection.
    pub(crate) async fn open(address: &Address, settings: &ConnectionSettings) -> Result<Self> {
        let mut connection = Self {
            address: address.clone(),
            transport: Transport::open(address, settings).await?,
            versions: Versions::default(),
            client_id: settings.client_id.clone(),
            next_correlation_id: 0,
            request_timeout: settings.request_timeout,
            credentials: settings.sasl.clone(),
            authenticate_again_at: None,
            is_accepted: false,
            is_broken: false,
        };
        connection.negotiate().await?;
        connection.authenticate().await?;
        Ok(connection)
    }

    /// The broker at the other end.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Whether no further request can be sent: an answer is still to come that nobody waits for, or the connection failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Sends `request(version)` in the highest version that both sides know, and waits for the answer.
    ///
    /// # Errors
    /// As [`Connection::open`]; the answer's own error codes are the caller's to look at. After an error of the connection
    /// [`Connection::is_broken`].
    ///
    /// # Cancellation
    /// The request may have been carried out. The connection is broken then.
    pub(crate) async fn call<R: Api>(
        &mut self,
        within: Duration,
        request: impl FnOnce(i16) -> R,
    ) -> Result<R::Response> {
        self.call_up_to(i16::MAX, within, request).await
    }

    /// As [`Connection::call`], in no higher version than `most`.
    ///
    /// # Errors
    /// As [`Connection::call`].
    ///
    /// # Cancellation
    /// As [`Connection::call`].
    pub(crate) async fn call_up_to<R: Api>(
        &mut self,
        most: i16,
        within: Duration,
        request: impl FnOnce(i16) -> R,
    ) -> Result<R::Response> {
        if self.authenticate_again_at.is_some_and(|at| at <= Instant::now()) {
            self.authenticate().await?;
        }
        let version = self.versions.highest_up_to::<R>(most)?;
        let answer = self.send(&request(version), version, within).await?;
        self.is_accepted = true;
        Ok(answer)
    }

    async fn send<R: Api>(&mut self, request: &R, version: i16, within: Duration) -> Result<R::Response> {
        let (correlation_id, answer) = self.round_trip(request, version, within).await?;
        codec::decode::<R>(answer, version, correlation_id).inspect_err(|_| self.is_broken = true)
    }

    async fn round_trip<R: Api>(&mut self, request: &R, version: i16, within: Duration) -> Result<(i32, Bytes)> {
        if self.is_broken {
            return Err(self.lost("it was given up"));
        }
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = correlation_id.wrapping_add(1);
        let frame = codec::encode(request, version, correlation_id, &self.client_id)?;
        // Stays so if this future is dropped before the answer has come.
        self.is_broken = true;
        match timeout_at(Instant::now() + within, self.exchange(frame)).await {
            Ok(answer) => {
                let answer = answer?;
                self.is_broken = false;
                Ok((correlation_id, answer))
            }
            Err(_) => Err(self.lost(&format!("it did not answer {:?} within {within:?}", R::KEY))),
        }
    }

    async fn exchange(&mut self, frame: Bytes) -> Result<Bytes> {
        let sent = self.transport.write_all(&frame).await;
        let sent = if sent.is_ok() { self.transport.flush().await } else { sent };
        sent.map_err(|error| self.failed(&error))?;
        let mut length = [0; 4];
        let read = self.transport.read_exact(&mut length).await;
        read.map_err(|error| self.failed(&error))?;
        let longest = if self.versions.are_known() { codec::LONGEST_FRAME } else { codec::LONGEST_FIRST_FRAME };
        let length = codec::frame_length(length, longest)?;
        let mut answer = BytesMut::with_capacity(length.min(1 << 20));
        while answer.len() < length {
            let left = (length - answer.len()) as u64;
            let read = (&mut self.transport).take(left).read_buf(&mut answer).await;
            match read {
                Ok(0) => return Err(self.closed()),
                Ok(_) => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(answer.freeze())
    }

    fn failed(&self, error: &io::Error) -> Error {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        if matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe) {
            return self.closed();
        }
        tls_refusal(error, &format!("broker {}", self.address)).unwrap_or_else(|| self.lost(&error.to_string()))
    }

    /// A broker that is spoken to in the wrong way hangs up without a word.
    fn closed(&self) -> Error {
        match self.is_accepted {
            true => self.lost("it closed the connection"),
            false => self.lost("it closed the connection at once; does `security.protocol` fit its listener?"),
        }
    }

    fn lost(&self, reason: &str) -> Error {
        Error::retriable(format!("the connection to broker {} is lost: {reason}", self.address))
    }

    async fn negotiate(&mut self) -> Result<()> {
        let software = |name: &'static str| StrBytes::from_static_str(name);
        let request = ApiVersionsRequest::default()
            .with_client_software_name(software(SOFTWARE))
            .with_client_software_version(software(env!("CARGO_PKG_VERSION")));
        let within = self.request_timeout;
        let (id, answer) = self.round_trip(&request, API_VERSIONS, within).await?;
        let response = if codec::is_unsupported_version(&answer) {
            self.send(&ApiVersionsRequest::default(), 0, within).await?
        } else {
            codec::decode::<ApiVersionsRequest>(answer, API_VERSIONS, id)?
        };
        if let Some(error) = response.error_code.err() {
            return Err(Error::fatal(format!("broker {} does not tell its versions: {error}", self.address)));
        }
        self.versions = Versions::of(&response);
        Ok(())
    }

    async fn authenticate(&mut self) -> Result<()> {
        let Some(credentials) = self.credentials.clone() else { return Ok(()) };
        self.authenticate_again_at = None;
        let mut exchange = Exchange::begin(&credentials).await?;
        self.shake_hands(&credentials).await?;
        let mut message = exchange.first_message();
        let lifetime = loop {
            let (answer, lifetime) = self.exchange_tokens(message, &credentials).await?;
            match exchange.answer(&answer).await? {
                Step::Send(next) => message = next,
                Step::Done => break lifetime,
            }
        };
        self.authenticate_again_at =
            lifetime.map(|lifetime| Instant::now() + lifetime.mul_f64(sasl::RENEW_AFTER).max(SHORTEST_SESSION));
        Ok(())
    }

    async fn shake_hands(&mut self, credentials: &Credentials) -> Result<()> {
        let mechanism = credentials.mechanism();
        let version = self.versions.highest::<SaslHandshakeRequest>()?;
        let request = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
        let response = self.send(&request, version, self.request_timeout).await.map_err(|error| self.no_sasl(error))?;
        let Some(error) = response.error_code.err() else { return Ok(()) };
        let offered: Vec<&str> = response.mechanisms.iter().map(StrBytes::as_str).collect();
        let refused = Error::config(format!(
            "broker {} refuses `sasl.mechanism` {mechanism} ({error}); it takes {}",
            self.address,
            if offered.is_empty() { "none".to_owned() } else { offered.join(", ") }
        ));
        Err(refused.with_exception(UNSUPPORTED_MECHANISM))
    }

    fn no_sasl(&self, error: Error) -> Error {
        if !error.is_retriable() {
            return error;
        }
        Error::retriable(format!(
            "broker {} broke off the authentication; does `security.protocol` fit its listener?",
            self.address
        ))
        .with_source(error)
    }

    async fn exchange_tokens(
        &mut self,
        message: Vec<u8>,
        credentials: &Credentials,
    ) -> Result<(Bytes, Option<Duration>)> {
        let version = self.versions.highest::<SaslAuthenticateRequest>()?;
        let request = SaslAuthenticateRequest::default().with_auth_bytes(message.into());
        let response = self.send(&request, version, self.request_timeout).await?;
        if let Some(error) = response.error_code.err() {
            let reason = match response.error_message.as_ref().map(StrBytes::as_str) {
                Some(message) if !message.is_empty() => message.to_owned(),
                _ => error.to_string(),
            };
            return Err(sasl::login_refused(&self.address.to_string(), credentials.mechanism(), &reason));
        }
        let lifetime = u64::try_from(response.session_lifetime_ms).ok().filter(|ms| *ms > 0).map(Duration::from_millis);
        Ok((response.auth_bytes, lifetime))
    }
}
