//! Looks for new and removed tables while the connector runs.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use volley_api::{ConnectorContext, Error, Result};

use super::config::SourceConfig;
use crate::database::{Driver, TableId};

/// The tables, as they were at the last look.
#[derive(Debug)]
pub(super) struct TableMonitor {
    source: Arc<TableSource>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

/// Where tables are looked for.
#[derive(Debug)]
struct TableSource {
    driver: Arc<dyn Driver>,
    config: SourceConfig,
}

#[derive(Debug, Default)]
struct State {
    /// `None` before the first look.
    tables: Mutex<Option<Vec<TableId>>>,
    is_stopped: Mutex<bool>,
    stop: Condvar,
}

impl TableMonitor {
    /// Begins to look every `table.poll.interval.ms`. The connector's tasks are configured again when tables come or
    /// go.
    ///
    /// # Errors
    /// `Fatal` if there can be no further thread.
    pub(super) fn start(driver: Arc<dyn Driver>, config: SourceConfig, context: ConnectorContext) -> Result<Self> {
        let source = Arc::new(TableSource { driver, config });
        let state = Arc::new(State::default());
        let thread = std::thread::Builder::new().name("volley-jdbc-tables".to_owned()).spawn({
            let (source, state) = (Arc::clone(&source), Arc::clone(&state));
            move || watch(&source, &state, &context)
        });
        let thread = thread
            .map_err(|error| Error::fatal("could not start a thread that looks for tables").with_source(error))?;
        Ok(Self { source, state, thread: Some(thread) })
    }

    /// The tables; looks for them if nobody has yet.
    pub(super) fn tables(&self) -> Result<Vec<TableId>> {
        if let Some(tables) = self.state.tables.lock().clone() {
            return Ok(tables);
        }
        let tables = self.source.look_patiently()?;
        *self.state.tables.lock() = Some(tables.clone());
        Ok(tables)
    }

    /// Ends it.
    pub(super) fn stop(&mut self) {
        *self.state.is_stopped.lock() = true;
        self.state.stop.notify_all();
        // a thread that is just looking ends by itself, when the database has answered
        self.thread = None;
    }
}

impl TableSource {
    /// Tries as often as `connection.attempts` says.
    fn look_patiently(&self) -> Result<Vec<TableId>> {
        let mut attempt = 1;
        loop {
            match self.look() {
                Err(error) if error.is_retriable() && attempt < self.config.attempts => {
                    tracing::warn!(attempt, error = %format!("{error:#}"), "could not look for tables; trying again");
                    attempt += 1;
                    std::thread::sleep(self.config.backoff);
                }
                outcome => return outcome,
            }
        }
    }

    fn look(&self) -> Result<Vec<TableId>> {
        let mut connection = self.driver.connect(&self.config.settings)?;
        let tables = connection.tables(&self.config.selection.search)?;
        let tables = self.config.selection.select(tables, self.driver.quote())?;
        Ok(match self.config.is_qualified {
            true => tables,
            false => tables.iter().map(|table| TableId::new(None, None, &table.table)).collect(),
        })
    }
}

/// Looks until it is stopped.
fn watch(source: &TableSource, state: &State, context: &ConnectorContext) {
    if source.config.is_bounded {
        // what is read is what was there at the beginning
        return;
    }
    let interval = source.config.table_poll_interval;
    while !is_stopped_within(state, interval) {
        // before the first look of the connector there is nothing to compare with
        let Some(known) = state.tables.lock().clone() else { continue };
        let outcome = source.look();
        if *state.is_stopped.lock() {
            return;
        }
        match outcome {
            Ok(tables) if tables == known => {}
            Ok(tables) => {
                let (before, now) = (known.len(), tables.len());
                tracing::info!(
                    connector = context.connector,
                    before,
                    now,
                    "tables have come or gone; the tasks begin anew"
                );
                *state.tables.lock() = Some(tables);
                context.request_task_reconfiguration();
            }
            Err(error) if error.is_retriable() => {
                let (connector, error) = (&context.connector, format!("{error:#}"));
                tracing::warn!(connector, error, "could not look for tables");
            }
            Err(error) => context.raise_error(error),
        }
    }
}

fn is_stopped_within(state: &State, interval: Duration) -> bool {
    let mut is_stopped = state.is_stopped.lock();
    if !*is_stopped {
        state.stop.wait_for(&mut is_stopped, interval);
    }
    *is_stopped
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use volley_api::testing::config_map;

    use super::super::config::config_keys::Flavour;
    use super::super::test_driver::TestDriver;
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn config() -> SourceConfig {
        let keys = [
            ("connection.url", "jdbc:test:x"),
            ("connection.backoff.ms", "1"),
            ("mode", "bulk"),
            ("topic.prefix", ""),
            ("table.poll.interval.ms", "5"),
        ];
        SourceConfig::parse(Flavour::Confluent, &config_map(&keys)).unwrap()
    }

    fn table(name: &str) -> TableId {
        TableId::new(None, Some("s"), name)
    }

    #[test]
    fn tasks_are_configured_again_when_tables_come_and_go() {
        let driver = TestDriver::default();
        driver.tables.lock().push(table("a"));
        let (sender, receiver) = channel();
        let context = ConnectorContext::new("c").on_reconfiguration(move || sender.send(()).unwrap_or_default());
        let mut monitor = TableMonitor::start(Arc::new(driver.clone()), config(), context).unwrap();
        assert_eq!(monitor.tables().unwrap(), [table("a")]);
        driver.tables.lock().push(table("b"));
        receiver.recv_timeout(SOON).unwrap();
        assert_eq!(monitor.tables().unwrap(), [table("a"), table("b")]);
        driver.tables.lock().remove(0);
        receiver.recv_timeout(SOON).unwrap();
        assert_eq!(monitor.tables().unwrap(), [table("b")]);
        monitor.stop();
    }

    #[test]
    fn a_database_out_of_reach_is_tried_as_often_as_it_may_be() {
        let driver = TestDriver::default();
        let tables = |failures| {
            *driver.failures.lock() = failures;
            let mut config = config();
            config.table_poll_interval = Duration::from_secs(3600);
            let mut monitor =
                TableMonitor::start(Arc::new(driver.clone()), config, ConnectorContext::new("c")).unwrap();
            let tables = monitor.tables();
            monitor.stop();
            tables
        };
        assert!(tables(2).unwrap().is_empty());
        assert!(tables(3).is_err());
    }

    #[test]
    fn two_tables_of_one_name_fail_the_connector_when_they_come() {
        let driver = TestDriver::default();
        let (sender, receiver) = channel();
        let context = ConnectorContext::new("c").on_error(move |error| sender.send(error).unwrap_or_default());
        let mut monitor = TableMonitor::start(Arc::new(driver.clone()), config(), context).unwrap();
        assert!(monitor.tables().unwrap().is_empty());
        driver.tables.lock().extend([table("a"), TableId::new(None, Some("t"), "a")]);
        let error = receiver.recv_timeout(SOON).unwrap();
        assert!(error.to_string().contains("s.a and t.a"), "{error}");
        monitor.stop();
    }
}
