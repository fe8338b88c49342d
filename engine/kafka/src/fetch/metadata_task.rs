//! The task that knows the leaders, and starts a task for each broker that is to be fetched from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, warn};
use volley_api::Result;

use super::broker_task::BrokerTask;
use super::leaders;
use super::shared::Shared;
use crate::group::Backoff;
use crate::outage::Outage;
use crate::wire::{Address, Connection};

/// How long the tasks of the brokers have to end their sessions.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// A failure is told after this time. The brokers that are fetched from are told of sooner.
const TOLD_AFTER: Duration = Duration::from_secs(10);

/// So often a server is asked that does not know all leaders, before another one is.
const ATTEMPTS_EACH: u32 = 5;

/// The leaders of a consumer's partitions, and its tasks.
pub(super) struct MetadataTask {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    running: BTreeMap<i32, (Address, AbortHandle)>,
    /// Open while the leaders are not all known.
    connection: Option<Connection>,
    /// Which server is asked next.
    next_server: usize,
    outage: Outage,
    /// Answers in a row without all leaders.
    attempts: u32,
}

impl MetadataTask {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            connection: None,
            next_server: 0,
            outage: Outage::told_after(TOLD_AFTER),
            attempts: 1,
        }
    }

    /// Runs until the consumer is closed, and then until its tasks have ended.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            biased;
            () = shared.closed() => {}
            () = self.serve() => {}
        }
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // those that are left are given up with the set
        let _ = timeout(LAST_ANSWERS, ended).await;
    }

    async fn serve(&mut self) {
        let settings = self.shared.settings.connection.clone();
        let new_backoff = || Backoff::new(settings.retry_backoff, settings.retry_backoff_max);
        let mut outdated = self.shared.watch_outdated();
        let mut changes = self.shared.watch_changes();
        let mut backoff = new_backoff();
        let mut is_due = true;
        let mut asked_at: Option<Instant> = None;
        loop {
            if is_due {
                match asked_at {
                    Some(at) if at.elapsed() < settings.retry_backoff_max => sleep(backoff.next()).await,
                    _ => backoff = new_backoff(),
                }
                outdated.borrow_and_update();
                is_due = !self.refresh().await;
                asked_at = Some(Instant::now());
            }
            changes.borrow_and_update();
            self.start_tasks();
            if is_due {
                continue;
            }
            let age = self.shared.settings.metadata_age;
            let expiry = asked_at.map_or_else(Instant::now, |at| at + age);
            tokio::select! {
                _ = outdated.changed() => is_due = true,
                // another replica may be wanted
                _ = changes.changed() => {}
                () = sleep_until(expiry) => is_due = true,
            }
        }
    }

    /// Asks for the leaders. `false` if there is reason to ask again soon.
    async fn refresh(&mut self) -> bool {
        let Some(request) = leaders::request(&self.shared.state.lock()) else { return true };
        match self.ask(request).await {
            Ok(is_complete) => {
                self.outage.ended();
                self.shared.wake();
                self.shared.changed();
                is_complete
            }
            Err(error) => {
                let is_told = self.outage.failed(Instant::now());
                let client = self.shared.settings.client.as_str();
                if !error.is_retriable() {
                    warn!(client, %error, "could not ask for the leaders of partitions");
                    self.shared.state.lock().refuse(error);
                    self.shared.wake();
                } else if is_told {
                    warn!(client, %error, "could not ask for the leaders of partitions, trying again");
                } else {
                    debug!(client, %error, "could not ask for the leaders of partitions");
                }
                false
            }
        }
    }

    async fn ask(&mut self, request: MetadataRequest) -> Result<bool> {
        let settings = self.shared.settings.connection.clone();
        let mut connection = match self.connection.take().filter(|connection| !connection.is_broken()) {
            Some(connection) => connection,
            None => Connection::open(&self.next_server(), &settings).await?,
        };
        let response = connection.call(settings.request_timeout, |_| request).await?;
        let is_complete = leaders::take(&mut self.shared.state.lock(), response);
        // one that does not know all leaders may be behind: others are asked in between
        if !is_complete && !self.attempts.is_multiple_of(ATTEMPTS_EACH) {
            self.connection = Some(connection);
        }
        self.attempts = if is_complete { 1 } else { self.attempts.wrapping_add(1) };
        Ok(is_complete)
    }

    /// Each of the known servers in turn, those of `bootstrap.servers` first. Those that cannot be fetched from are left out
    /// at first, while there are others.
    fn next_server(&mut self) -> Address {
        let state = self.shared.state.lock();
        let bootstrap = &self.shared.settings.connection.bootstrap_servers;
        let others = state.brokers.values().filter(|broker| !bootstrap.contains(broker));
        let mut servers: Vec<&Address> = bootstrap.iter().chain(others).collect();
        let failing: Vec<_> = state.failing.iter().filter_map(|id| state.brokers.get(id)).collect();
        let is_first = !self.outage.has_begun() && self.attempts <= ATTEMPTS_EACH;
        if is_first && servers.iter().any(|server| !failing.contains(server)) {
            servers.retain(|server| !failing.contains(server));
        }
        let server = servers[self.next_server % servers.len()].clone();
        self.next_server = self.next_server.wrapping_add(1);
        server
    }

    /// A task for each broker that is wanted. Those of other brokers stay, idle, while the brokers are where they were.
    fn start_tasks(&mut self) {
        let (wanted, known) = {
            let state = self.shared.state.lock();
            (state.wanted_brokers(std::time::Instant::now()), state.brokers.clone())
        };
        self.running.retain(|id, (address, task)| {
            let stays = known.get(id).is_none_or(|known| known == address) && !task.is_finished();
            if !stays {
                task.abort();
            }
            stays
        });
        while self.tasks.try_join_next().is_some() {}
        for (id, address) in wanted {
            self.running.entry(id).or_insert_with(|| {
                let task = BrokerTask::new(Arc::clone(&self.shared), id, address.clone());
                (address, self.tasks.spawn(task.run()))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::session_tests::settings;

    fn next_ports(task: &mut MetadataTask, count: usize) -> Vec<u16> {
        (0..count).map(|_| task.next_server().port).collect()
    }

    #[test]
    fn servers_that_cannot_be_fetched_from_are_asked_for_leaders_last() {
        let shared = Shared::new(settings());
        let mut task = MetadataTask::new(Arc::clone(&shared));
        {
            let mut state = shared.state.lock();
            state.brokers = [9092, 9093, 9094].map(|port| (port, Address::new("localhost", port).unwrap())).into();
            state.failing = [9092, 9093].into();
        }
        assert_eq!(next_ports(&mut task, 2), [9094, 9094]);
        // those that failed may be back, and this one may have gone
        task.outage.failed(Instant::now());
        let mut ports = next_ports(&mut task, 3);
        ports.sort_unstable();
        assert_eq!(ports, [9092, 9093, 9094]);
        task.outage.ended();
        shared.state.lock().failing.insert(9094);
        assert_eq!(next_ports(&mut task, 3).len(), 3);
    }
}
