//! The task that fetches from one broker, one request after the other.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::protocol::StrBytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};
use volley_api::{Error, Result};

use super::partition_answer::{self, Leaders};
use super::session::{NAMES_ONLY, Plan, Session};
use super::shared::Shared;
use crate::group::Backoff;
use crate::outage::{self, Outage};
use crate::wire::{Address, Connection};

/// How long the broker has to take note that a session is over.
const FAREWELL: Duration = Duration::from_secs(1);

/// So many of the partitions that wait are named.
const TOLD_PARTITIONS: usize = 20;

/// Fetches what the broker has of the assigned partitions.
pub(super) struct BrokerTask {
    shared: Arc<Shared>,
    id: i32,
    address: Address,
    session: Session,
    outage: Outage,
    reconnect: Backoff,
}

impl BrokerTask {
    pub(super) fn new(shared: Arc<Shared>, id: i32, address: Address) -> Self {
        Self {
            reconnect: reconnect(&shared),
            shared,
            id,
            address,
            session: Session::default(),
            outage: Outage::told_after(outage::FIRST),
        }
    }

    /// Runs until the consumer is closed.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut changes = shared.watch_changes();
        let mut connection = None;
        loop {
            tokio::select! {
                biased;
                () = shared.closed() => break,
                () = self.await_plan(&mut changes) => {}
            }
            // An answer that is on its way when the consumer is closed is waited for: the session ends behind it.
            let outcome = self.fetch(&mut connection).await;
            let pause = match outcome {
                Ok(throttled) => self.succeeded(throttled),
                Err(error) => {
                    connection = None;
                    self.failed(error)
                }
            };
            tokio::select! {
                biased;
                () = shared.closed() => break,
                () = sleep(pause), if !pause.is_zero() => {}
                () = std::future::ready(()), if pause.is_zero() => {}
            }
        }
        self.say_farewell(connection).await;
    }

    fn plan(&self) -> (Plan, Option<std::time::Instant>) {
        self.shared.state.lock().plan(self.id, &self.shared.settings, std::time::Instant::now())
    }

    /// Waits until there is something to ask for.
    async fn await_plan(&self, changes: &mut watch::Receiver<u64>) {
        loop {
            changes.borrow_and_update();
            let (plan, later) = self.plan();
            if !plan.is_empty() {
                return;
            }
            let due = async {
                match later {
                    Some(later) => sleep_until(later.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // the sender is in what this task shares
                _ = changes.changed() => {}
                () = due => {}
            }
        }
    }

    /// Sends one request and takes its answer. Returns how long the broker wants to be left alone.
    async fn fetch(&mut self, connection: &mut Option<Connection>) -> Result<Duration> {
        let settings = &self.shared.settings;
        let is_open = connection.as_ref().is_some_and(|connection| !connection.is_broken());
        if !is_open {
            *connection = None;
            self.session.reset();
        }
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(Connection::open(&self.address, &settings.connection).await?),
        };
        let (plan, _) = self.plan();
        if plan.is_empty() {
            return Ok(Duration::ZERO);
        }
        let has_ids = plan.values().all(|asked| !asked.topic_id.is_nil());
        let highest = if has_ids { i16::MAX } else { NAMES_ONLY };
        let within = settings.connection.request_timeout + settings.max_wait;
        let wants_replicas = self.shared.state.lock().wants_replicas(std::time::Instant::now());
        let session = &mut self.session;
        let request = |version| {
            let request = session.request(version, &plan, settings);
            if wants_replicas { request } else { request.with_rack_id(StrBytes::default()) }
        };
        let response = connection.call_up_to(highest, within, request);
        let response = response.await?;
        let throttled = Duration::from_millis(response.throttle_time_ms.max(0).unsigned_abs().into());
        self.take(response)?;
        Ok(throttled)
    }

    fn take(&mut self, response: FetchResponse) -> Result<()> {
        let error = response.error_code.err();
        if !self.session.accept(response.session_id, error) {
            debug!(client = self.shared.settings.client, broker = %self.address, ?error, "the fetch session is over");
            // the next request begins another
            return match error {
                Some(error) if !is_end_of_session(error) => {
                    Err(Error::retriable(format!("broker {} answers a request to fetch with {error:?}", self.address)))
                }
                _ => Ok(()),
            };
        }
        let mut leaders = Leaders::Known;
        let has_room = {
            let mut state = self.shared.state.lock();
            let most = state.max_waiting_bytes(&self.shared.settings);
            let before = state.waiting_bytes;
            for topic in response.responses {
                for data in topic.partitions {
                    let asked = self.session.asked(&topic.topic, topic.topic_id, data.partition_index);
                    let Some(asked) = asked else { continue };
                    let settings = &self.shared.settings;
                    leaders = leaders.max(partition_answer::take(&mut state, settings, self.id, asked, data));
                }
            }
            // a truncation drops what waits
            before >= most && state.waiting_bytes < most
        };
        self.shared.wake();
        if leaders == Leaders::Moved || has_room {
            self.shared.changed();
        }
        if leaders == Leaders::Outdated {
            self.shared.leaders_outdated();
        }
        Ok(())
    }

    fn succeeded(&mut self, throttled: Duration) -> Duration {
        let has_failed = self.outage.has_begun();
        if self.outage.ended() {
            info!(client = self.shared.settings.client, broker = %self.address, "the broker can be fetched from again");
        }
        if has_failed {
            self.reconnect = reconnect(&self.shared);
            self.shared.state.lock().failing.remove(&self.id);
        }
        throttled
    }

    /// Tells of a failure. Returns how long to wait before the next attempt.
    fn failed(&mut self, error: Error) -> Duration {
        let is_told = self.outage.failed(Instant::now());
        self.session.reset();
        let client = self.shared.settings.client.as_str();
        let broker = &self.address;
        if !error.is_retriable() {
            warn!(client, %broker, %error, "could not fetch from a broker");
            self.shared.state.lock().refuse(error);
            self.shared.wake();
        } else if is_told {
            let partitions = self.waiting_partitions();
            warn!(client, %broker, ?partitions, %error, "could not fetch from a broker, the partitions that it leads wait");
        } else {
            debug!(client, %broker, %error, "could not fetch from a broker");
        }
        {
            let mut state = self.shared.state.lock();
            state.failing.insert(self.id);
            state.lose_nearby(self.id, &self.shared.settings);
        }
        self.shared.changed();
        self.shared.leaders_outdated();
        self.reconnect.next()
    }

    /// The first partitions that wait for the broker, for the log.
    fn waiting_partitions(&self) -> Vec<String> {
        let state = self.shared.state.lock();
        let waiting = state.partitions_of(self.id, std::time::Instant::now());
        waiting.take(TOLD_PARTITIONS).map(ToString::to_string).collect()
    }

    /// Ends the session, for which the broker keeps a place that others may need.
    async fn say_farewell(self, connection: Option<Connection>) {
        let (Some(mut connection), Some(request)) = (connection, self.session.farewell()) else { return };
        if !connection.is_broken() {
            let answer = connection.call_up_to(i16::MAX, FAREWELL, |_| request).await;
            debug!(broker = %self.address, is_ended = answer.is_ok(), "the fetch session was ended");
        }
    }
}

/// Whether the broker only has forgotten the session, as it does with the oldest ones.
fn is_end_of_session(error: ResponseError) -> bool {
    matches!(
        error,
        ResponseError::FetchSessionIdNotFound
            | ResponseError::InvalidFetchSessionEpoch
            | ResponseError::FetchSessionTopicIdError
    )
}

fn reconnect(shared: &Shared) -> Backoff {
    let settings = &shared.settings.connection;
    Backoff::new(settings.reconnect_backoff, settings.reconnect_backoff_max)
}
