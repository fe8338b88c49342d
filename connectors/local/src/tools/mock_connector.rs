//! `MockSource` and `MockSink`: do nothing, and fail if told to.
//!
//! Keys: `mock_mode` (`connector-failure`, `task-failure`; without it nothing fails), `delay_ms` (15000): when it fails.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use volley_api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Error, KAFKA_VERSION, Plugin, PluginFactory, Result,
    RunningConnector,
};

use super::mock_failure::{MockMode, delay, failure};
use super::mock_sink_task::MockSinkTask;
use super::mock_source_task::MockSourceTask;

/// `MockSource`.
pub(crate) fn source_plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.tools.MockSourceConnector",
        KAFKA_VERSION,
        "Sends nothing. With `mock_mode` connector-failure or task-failure, the connector or its task \
                        fails after `delay_ms`.",
        ConfigDef::new(),
        PluginFactory::source(MockConnector, MockSourceTask::start),
    )
    .alias("MockSource")
}

/// `MockSink`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.tools.MockSinkConnector",
        KAFKA_VERSION,
        "Drops its records. With `mock_mode` connector-failure or task-failure, the connector or its task \
                        fails after `delay_ms`.",
        ConfigDef::new(),
        PluginFactory::sink(MockConnector, MockSinkTask::start),
    )
    .alias("MockSink")
}

#[derive(Debug)]
struct MockConnector;

impl Connector for MockConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        let timer = match delay(config, MockMode::ConnectorFailure)? {
            Some(delay) => Some(start_timer(context, delay)?),
            None => None,
        };
        Ok(Box::new(RunningMock { config: config.clone(), _timer: timer }))
    }
}

/// Fails the connector after `delay`, unless what it returns is dropped before.
fn start_timer(context: ConnectorContext, delay: Duration) -> Result<Sender<()>> {
    let (timer, stopped) = channel();
    let wait = move || {
        if let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(delay) {
            context.raise_error(failure());
        }
    };
    thread::Builder::new()
        .name("mock-failure".to_owned())
        .spawn(wait)
        .map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
    Ok(timer)
}

#[derive(Debug)]
struct RunningMock {
    config: ConfigMap,
    /// Ends the timer when dropped.
    _timer: Option<Sender<()>>,
}

impl RunningConnector for RunningMock {
    /// One task, whatever `tasks.max` says.
    fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone()])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use volley_api::testing::config_map;

    use super::*;

    fn started(delay: &str) -> (Box<dyn RunningConnector>, std::sync::mpsc::Receiver<Error>) {
        let (errors, raised) = channel();
        let errors = Mutex::new(errors);
        let context = ConnectorContext::new("c").on_error(move |error| errors.lock().unwrap().send(error).unwrap());
        let config = config_map(&[("mock_mode", "connector-failure"), ("delay_ms", delay)]);
        (MockConnector.start(context, &config).unwrap(), raised)
    }

    #[test]
    fn the_connector_fails_after_the_delay() {
        let (_connector, raised) = started("1");
        let error = raised.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(error.exception(), "java.lang.RuntimeException");
    }

    #[test]
    fn a_stopped_connector_does_not_fail() {
        let (mut connector, raised) = started("600000");
        connector.stop();
        drop(connector);
        // the timer has gone and with it the other end of the channel
        assert_eq!(raised.recv_timeout(Duration::from_secs(10)).unwrap_err(), RecvTimeoutError::Disconnected);
    }
}
