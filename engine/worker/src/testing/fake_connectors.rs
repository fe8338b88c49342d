//! A connector that does as its configuration says.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use volley_api::metrics::Counter;
use volley_api::testing::json_object;
use volley_api::{
    ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Connector, ConnectorContext, EndedRun, Error, Importance,
    Offsets, Polled, RejectedRow, Result, RunningConnector, SinkBatch, SinkContext, SinkTask, SourceContext,
    SourceOffset, SourcePartition, SourceTask, Support,
};

static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);

/// Where a fake plug-in hangs, until the test opens it. By name, so that a test reaches it through a configuration.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    /// The gate `name`; shut at first.
    pub(crate) fn named(name: &str) -> Arc<Self> {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(name.to_owned()).or_default())
    }

    /// Lets everybody pass, from now on.
    pub(crate) fn open(&self) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Opens it; whether it was shut.
    pub(crate) fn open_once(&self) -> bool {
        !std::mem::replace(&mut *self.is_open.lock().unwrap_or_else(PoisonError::into_inner), true)
    }

    /// Waits until it is open.
    pub(crate) fn pass(&self) {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(is_open, |is_open| !*is_open));
    }
}

/// The keys: what to do in which call.
pub(crate) fn fake_config_def() -> ConfigDef {
    let key = |name| ConfigKey::optional(name, ConfigType::String, Importance::High, "For tests.");
    ConfigDef::new()
        .key(key("fail.in"))
        .key(key("fail.once"))
        .key(key("fail.once.in"))
        .key(key("hang.in"))
        .key(key("gate"))
        .key(ConfigKey::with_default("end", ConfigType::Boolean, "false", Importance::High, "Whether the source ends."))
        .key(ConfigKey::optional("size", ConfigType::Int, Importance::Low, "A number."))
        .key(ConfigKey::optional("password", ConfigType::Password, Importance::High, "A secret."))
}

fn act(config: &ConfigMap, call: &str) -> Result<()> {
    if config.get("hang.in").is_some_and(|hang| hang == call) {
        Gate::named(config.get("gate").map_or("", String::as_str)).pass();
    }
    let fails_once_in = config.get("fail.once.in").map_or("start", String::as_str);
    if call == fails_once_in && config.get("fail.once").is_some_and(|name| Gate::named(name).open_once()) {
        return Err(Error::fatal("told to fail once"));
    }
    match config.get("fail.in").is_some_and(|fail| fail == call) {
        true => Err(Error::fatal(format!("told to fail in {call}"))),
        false => Ok(()),
    }
}

/// The connector.
#[derive(Debug)]
pub(crate) struct FakeConnector;

impl Connector for FakeConnector {
    fn config_def(&self) -> ConfigDef {
        fake_config_def()
    }

    fn start(&self, context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        if config.get("fail.in").is_some_and(|fail| fail == "later") {
            context.raise_error(Error::fatal("told to fail later"));
        }
        if config.contains_key("needs.offset") && context.offset(&json_object(r#"{"p":1}"#))?.is_none() {
            return Err(Error::fatal("told to need a stored offset"));
        }
        context.metrics().gauge("starts").set(1);
        act(config, "start")?;
        Ok(Box::new(RunningFake { config: config.clone() }))
    }

    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        match act(config, "validate") {
            Ok(()) => Vec::new(),
            Err(error) => vec![ConfigIssue::new("fail.in", error.to_string())],
        }
    }

    fn is_bounded(&self, config: &ConfigMap) -> bool {
        config.get("end").is_some_and(|end| end == "true")
    }

    fn alter_offsets(&self, config: &ConfigMap, _: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        act(config, "alterOffsets")?;
        Ok(config.get("size").is_some())
    }

    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<Support>> {
        Ok(config.contains_key("size").then_some(Support::Supported))
    }

    fn can_define_transaction_boundaries(&self, config: &ConfigMap) -> Result<Option<Support>> {
        Ok(self.exactly_once_support(config)?.or(Some(Support::Unsupported)))
    }
}

struct RunningFake {
    config: ConfigMap,
}

impl RunningConnector for RunningFake {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        act(&self.config, "taskConfigs")?;
        let tasks = self.config.get("size").and_then(|size| size.parse().ok()).unwrap_or(max_tasks);
        Ok(vec![self.config.clone(); tasks])
    }

    fn end_of_run(&mut self, _run: &EndedRun) -> Result<()> {
        act(&self.config, "endOfRun")
    }

    fn stop(&mut self) {
        assert!(act(&self.config, "stop").is_ok(), "told to panic in stop");
    }
}

/// A source task without records.
#[derive(Debug)]
pub(crate) struct FakeSourceTask {
    config: ConfigMap,
    polls: Counter,
}

impl FakeSourceTask {
    pub(crate) fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        act(config, "task.start")?;
        Ok(Self { config: config.clone(), polls: context.metrics().counter("polls") })
    }
}

impl SourceTask for FakeSourceTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        self.polls.add(1);
        act(&self.config, "poll")?;
        if self.config.get("end").is_some_and(|end| end == "true") {
            return Ok(Polled::Finished);
        }
        std::thread::sleep(max_wait.min(Duration::from_millis(10)));
        Ok(Polled::Idle)
    }

    fn stop(&mut self) {
        // Nothing to be told of a failure here.
        let _ = act(&self.config, "task.stop");
    }
}

/// A sink task that keeps nothing.
#[derive(Debug)]
pub(crate) struct FakeSinkTask;

impl FakeSinkTask {
    pub(crate) fn start(_: SinkContext, config: &ConfigMap) -> Result<Self> {
        act(config, "task.start").map(|()| Self)
    }
}

impl SinkTask for FakeSinkTask {
    fn put(&mut self, _: &SinkBatch) -> Result<Vec<RejectedRow>> {
        Ok(Vec::new())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(current.clone())
    }
}
