//! `MockSource` and `MockSink`: do nothing, and fail if told to.
//!
//! Keys: `mock_mode` (`connector-failure`, `task-failure`; without it nothing fails), `delay_ms` (15000): when it fails.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;

use volley_api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Error, KAFKA_VERSION, Plugin, PluginFactory, Result,
};

use super::mock_failure::{MockMode, delay, failure};
use super::mock_sink_task::MockSinkTask;
use super::mock_source_task::MockSourceTask;

/// `MockSource`.
pub(crate) fn source_plugin() -> Plugin {
    Plugin {
        class: "org.apache.kafka.connect.tools.MockSourceConnector",
        aliases: &["MockSource"],
        version: KAFKA_VERSION,
        documentation: "Sends nothing. With `mock_mode` connector-failure or task-failure, the connector or its task \
                        fails after `delay_ms`.",
        config_def: ConfigDef::new(),
        factory: PluginFactory::Source {
            connector: Arc::new(|| Box::new(MockConnector::default())),
            task: Arc::new(|| Box::new(MockSourceTask::default())),
        },
    }
}

/// `MockSink`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin {
        class: "org.apache.kafka.connect.tools.MockSinkConnector",
        aliases: &["MockSink"],
        version: KAFKA_VERSION,
        documentation: "Drops its records. With `mock_mode` connector-failure or task-failure, the connector or its task \
                        fails after `delay_ms`.",
        config_def: ConfigDef::new(),
        factory: PluginFactory::Sink {
            connector: Arc::new(|| Box::new(MockConnector::default())),
            task: Arc::new(|| Box::new(MockSinkTask::default())),
        },
    }
}

#[derive(Debug, Default)]
struct MockConnector {
    /// Ends the timer when dropped.
    timer: Option<Sender<()>>,
}

impl Connector for MockConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&mut self, context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        let Some(delay) = delay(config, MockMode::ConnectorFailure)? else { return Ok(()) };
        let (timer, stopped) = channel();
        let wait = move || {
            if let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(delay) {
                (context.raise_error)(failure());
            }
        };
        thread::Builder::new()
            .name("mock-failure".to_owned())
            .spawn(wait)
            .map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
        self.timer = Some(timer);
        Ok(())
    }

    /// One task, whatever `tasks.max` says.
    fn task_configs(&mut self, config: &ConfigMap, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![config.clone()])
    }

    fn stop(&mut self) {
        self.timer = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn started(delay: &str) -> (MockConnector, std::sync::mpsc::Receiver<Error>) {
        let (errors, raised) = channel();
        let context = ConnectorContext {
            connector: "c".into(),
            request_task_reconfiguration: Arc::new(|| {}),
            raise_error: Arc::new(move |error| errors.send(error).unwrap()),
        };
        let config = [("mock_mode", "connector-failure"), ("delay_ms", delay)];
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut connector = MockConnector::default();
        connector.start(context, &config).unwrap();
        (connector, raised)
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
        // the timer has gone and with it the other end of the channel
        assert_eq!(raised.recv_timeout(Duration::from_secs(10)).unwrap_err(), RecvTimeoutError::Disconnected);
    }
}
