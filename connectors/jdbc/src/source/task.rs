//! The task: reads its tables, one after the other, each when it is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::{ConfigMap, Error, Polled, Result, SourceContext, SourceTask};

use super::access::Access;
use super::config::SourceConfig;
use super::config::config_keys::Flavour;
use super::connector::{Drivers, driver_of};
use super::late::Settling;
use super::reader::{Read, Reader};
use super::splits;
use super::table_reader::TableReader;
use super::task_tables::tables_of;
use crate::database::{Connection, Driver};

/// One task.
pub(super) struct JdbcSourceTask {
    config: SourceConfig,
    driver: Arc<dyn Driver>,
    connection: Option<Box<dyn Connection>>,
    readers: Vec<TableReader>,
    /// Attempts to connect that have failed; `None` once one has succeeded.
    failed_attempts: Option<u32>,
    /// Failures of queries in a row.
    failed_queries: u32,
    /// What is known of other transactions.
    settling: Settling,
}

impl std::fmt::Debug for JdbcSourceTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JdbcSourceTask").field("readers", &self.readers).finish_non_exhaustive()
    }
}

impl SourceTask for JdbcSourceTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        // without an interval the same are due again and again
        let mut most = self.readers.len();
        loop {
            let Some(place) = self.next_reader() else {
                return Ok(if self.config.is_bounded { Polled::Finished } else { Polled::IdleFor(max_wait) });
            };
            let wait = self.readers[place].due().saturating_duration_since(Instant::now());
            if !self.readers[place].is_open() && (!wait.is_zero() || most == 0) {
                return Ok(Polled::IdleFor(wait));
            }
            if self.connection.is_none() && !self.connect()? {
                return Ok(Polled::IdleFor(self.config.backoff));
            }
            match self.read(place, max_wait) {
                Ok(Read::Batch(batch)) => {
                    self.failed_queries = 0;
                    return Ok(Polled::Batches(vec![*batch]));
                }
                Ok(Read::Waiting) => return Ok(Polled::Idle),
                Ok(Read::End) => {
                    most = most.saturating_sub(1);
                    self.failed_queries = 0;
                    self.readers[place].end(&self.config);
                }
                Err(error) => return Err(self.failed(place, error)),
            }
        }
    }

    fn stop(&mut self) {
        self.connection = None;
    }
}

impl JdbcSourceTask {
    /// Starts the task. The database is not touched yet: what is out of reach is tried again by `poll`.
    pub(super) fn start(
        context: SourceContext,
        flavour: Flavour,
        drivers: &Drivers,
        config: &ConfigMap,
    ) -> Result<Self> {
        let parsed = SourceConfig::parse(flavour, config)?;
        let driver = driver_of(drivers, &parsed)?;
        driver.check(&parsed.settings)?;
        let readers = readers_of_task(&parsed, config, driver.quote(), &context)?;
        let settling = Settling::default();
        Ok(Self {
            config: parsed,
            driver,
            connection: None,
            readers,
            failed_attempts: Some(0),
            failed_queries: 0,
            settling,
        })
    }

    /// The one that is being read, else the one that is due first; none if all are done.
    fn next_reader(&self) -> Option<usize> {
        let open = self.readers.iter().position(TableReader::is_open);
        let waiting = (0..self.readers.len()).filter(|place| !self.readers[*place].is_done());
        open.or_else(|| waiting.min_by_key(|place| self.readers[*place].due()))
    }

    /// Connects; whether that was possible. One that was connected before is tried without end.
    fn connect(&mut self) -> Result<bool> {
        match self.driver.connect(&self.config.settings) {
            Ok(connection) => {
                self.connection = Some(connection);
                self.failed_attempts = None;
                Ok(true)
            }
            Err(error) if error.is_retriable() => match &mut self.failed_attempts {
                None => Err(error),
                Some(attempts) => {
                    *attempts += 1;
                    if *attempts >= self.config.attempts {
                        return Err(Error::fatal(format!("could not connect in {attempts} attempts: {error}"))
                            .with_source(error));
                    }
                    let (attempt, error) = (*attempts, format!("{error:#}"));
                    tracing::warn!(attempt, error, "could not connect; trying again");
                    Ok(false)
                }
            },
            Err(error) => Err(error),
        }
    }

    fn read(&mut self, place: usize, max_wait: Duration) -> Result<Read> {
        let Some(connection) = self.connection.as_deref_mut() else { return Ok(Read::Waiting) };
        let reader = &mut self.readers[place];
        if !reader.is_open() {
            let (driver, config, settling) = (&*self.driver, &self.config, &mut self.settling);
            reader.begin(&mut Access { connection, driver, config, settling })?;
        }
        reader.read(connection, max_wait)
    }

    /// What becomes of a failure: what was not given out is read again, over another connection.
    fn failed(&mut self, place: usize, error: Error) -> Error {
        self.connection = None;
        self.readers[place].close();
        if !error.is_retriable() {
            return error;
        }
        self.failed_queries += 1;
        match self.config.retries {
            Some(retries) if self.failed_queries > retries => {
                Error::fatal(format!("gave up after {retries} retries (`query.retry.attempts`): {error}"))
                    .with_source(error)
            }
            _ => error,
        }
    }
}

/// What a task reads: its queries, or its tables and ranges of tables.
fn readers_of_task(
    parsed: &SourceConfig,
    config: &ConfigMap,
    quote: char,
    context: &SourceContext,
) -> Result<Vec<TableReader>> {
    if !parsed.queries.is_empty() {
        let queries = parsed.queries.iter().map(|query| Reader::of_query(parsed, query, context));
        return queries.map(|reader| Ok(TableReader::Whole(Box::new(reader?)))).collect();
    }
    let tables = tables_of(config, quote).into_iter().map(|table| Reader::of_table(parsed, table, context));
    let mut readers: Vec<_> = tables.map(|reader| Ok(TableReader::Whole(Box::new(reader?)))).collect::<Result<_>>()?;
    readers.extend(splits::readers_of(parsed, config, quote, context)?);
    Ok(readers)
}

#[cfg(test)]
mod tests {
    use volley_api::ErrorKind;
    use volley_api::testing::config_map;

    use super::super::test_driver::TestDriver;
    use super::*;

    fn task(driver: &TestDriver, more: &[(&str, &str)]) -> JdbcSourceTask {
        let base = [
            ("connection.url", "jdbc:test:x"),
            ("connection.backoff.ms", "7"),
            ("poll.interval.ms", "60000"),
            ("mode", "bulk"),
            ("topic.prefix", ""),
            ("tables", "\"s\".\"a\",\"s\".\"b\""),
        ];
        let drivers: Drivers = Arc::from([Arc::new(driver.clone()) as Arc<dyn Driver>]);
        let config = config_map(&[&base, more].concat());
        JdbcSourceTask::start(SourceContext::new("c", 0), Flavour::Confluent, &drivers, &config).unwrap()
    }

    fn idle(task: &mut JdbcSourceTask) -> Duration {
        match task.poll(Duration::ZERO).unwrap() {
            Polled::IdleFor(wait) => wait,
            polled => panic!("{polled:?}"),
        }
    }

    #[test]
    fn the_first_connection_is_tried_as_often_as_it_may_be() {
        let driver = TestDriver::default();
        *driver.failures.lock() = 2;
        let mut patient = task(&driver, &[]);
        assert_eq!((idle(&mut patient), idle(&mut patient)), (Duration::from_millis(7), Duration::from_millis(7)));
        // both tables are read and wait until they are due again
        assert!(idle(&mut patient) > Duration::from_secs(50));
        *driver.failures.lock() = 2;
        let mut hasty = task(&driver, &[("connection.attempts", "2")]);
        idle(&mut hasty);
        assert_eq!(hasty.poll(Duration::ZERO).unwrap_err().kind(), ErrorKind::Fatal);
    }

    #[test]
    fn a_task_without_an_interval_still_ends_a_poll() {
        let mut task = task(&TestDriver::default(), &[("poll.interval.ms", "0")]);
        assert_eq!(idle(&mut task), Duration::ZERO);
    }

    #[test]
    fn a_bounded_task_reads_each_table_once_and_is_done() {
        let mut bounded = task(&TestDriver::default(), &[("volley.mode", "bounded")]);
        assert!(matches!(bounded.poll(Duration::ZERO).unwrap(), Polled::Finished));
    }

    #[test]
    fn a_connection_that_is_lost_is_tried_without_end() {
        let driver = TestDriver::default();
        let mut task =
            task(&driver, &[("connection.attempts", "1"), ("poll.interval.ms", "0"), ("batch.max.rows", "1")]);
        task.failed_attempts = None;
        *driver.failures.lock() = 5;
        for _ in 0..5 {
            assert!(task.poll(Duration::ZERO).unwrap_err().is_retriable());
        }
        assert_eq!(*driver.failures.lock(), 0);
    }
}
