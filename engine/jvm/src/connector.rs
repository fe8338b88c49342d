//! A Java connector, as the worker's.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tracing::warn;
use volley_api::{
    ConfigAnswer, ConfigDef, ConfigMap, Connector, ConnectorContext, Error, Result, RunningConnector, SourceOffset,
    SourcePartition, Support,
};

use crate::config_json;
use crate::discovery::{FoundPlugin, JavaKind, config_answer, config_def};
use crate::hosts::{Movable, Occupant, QUESTION_LIMIT};
use crate::runtime::{JavaRuntime, START_LIMIT};
use crate::sink::altered_offsets;
use crate::sink_requests::each;

/// For `stop`: the worker's own limit, which is Kafka Connect's.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A class of Java connectors.
#[derive(Clone, Debug)]
pub(crate) struct JavaConnector {
    pub(crate) java: Arc<JavaRuntime>,
    pub(crate) plugin: Arc<FoundPlugin>,
}

impl JavaConnector {
    fn ask(&self, call: &str, config: &ConfigMap, more: Map<String, Value>) -> Result<Value> {
        let mut request = Value::Object(more);
        request["class"] = json!(self.plugin.class);
        request["config"] = config_json::to_json(config);
        let plugins = self.java.found()?;
        self.java.utility().ask(call, &request, &self.plugin.location, &plugins, QUESTION_LIMIT)
    }

    fn support(&self, call: &str, config: &ConfigMap) -> Result<Option<Support>> {
        let answer = self.ask(call, config, Map::new())?;
        Ok(answer.as_str().map(|answer| match answer {
            "supported" => Support::Supported,
            _ => Support::Unsupported,
        }))
    }
}

impl Connector for JavaConnector {
    /// Those that the scan has brought; where it could not, they are asked for here.
    fn config_def(&self) -> ConfigDef {
        if !self.plugin.keys.is_null() {
            return config_def(&self.plugin.keys);
        }
        let described = self.java.found().and_then(|plugins| self.java.utility().describe(&self.plugin, &plugins));
        described.map_or_else(
            |error| {
                let class = &self.plugin.class;
                warn!(target: "volley_jvm", class, error = error.trace(), "keys of a Java connector are not known");
                ConfigDef::new()
            },
            |keys| config_def(&keys),
        )
    }

    fn config_values(&self, config: &ConfigMap) -> Result<Option<ConfigAnswer>> {
        self.ask("VALIDATE", config, Map::new()).map(|answer| Some(config_answer(&answer)))
    }

    fn has_own_chain(&self) -> bool {
        true
    }

    fn start(&self, context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        Ok(Box::new(RunningJavaConnector(Instance::start(self, context, config)?)))
    }

    fn alter_offsets(&self, config: &ConfigMap, offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        let (kind, offsets) = match self.plugin.kind {
            JavaKind::Sink => ("sink", altered_offsets(offsets)),
            _ => {
                let entry = |(partition, offset): &(SourcePartition, Option<SourceOffset>)| json!({ "partition": partition, "offset": offset });
                ("source", offsets.iter().map(entry).collect())
            }
        };
        let more = Map::from_iter([("kind".to_owned(), json!(kind)), ("offsets".to_owned(), offsets)]);
        Ok(self.ask("ALTER_OFFSETS", config, more)? == true)
    }

    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<Support>> {
        self.support("EXACTLY_ONCE", config)
    }

    fn can_define_transaction_boundaries(&self, config: &ConfigMap) -> Result<Option<Support>> {
        self.support("BOUNDARIES", config)
    }
}

/// An instance in the connector's process.
#[derive(Debug)]
struct Instance {
    connector: JavaConnector,
    context: ConnectorContext,
    config: ConfigMap,
    /// `None` once it is stopped or lost. Held while it is called, and while it moves.
    occupant: Mutex<Option<Occupant>>,
}

impl Instance {
    fn start(connector: &JavaConnector, context: ConnectorContext, config: &ConfigMap) -> Result<Arc<Self>> {
        let (connector, config) = (connector.clone(), config.clone());
        let this = Arc::new(Self { connector, context, config, occupant: Mutex::new(None) });
        let occupant = this.enter()?;
        this.settle(occupant, &mut this.occupant.lock());
        Ok(this)
    }

    /// Makes and starts it in the connector's process.
    fn enter(&self) -> Result<Occupant> {
        let name = &self.context.connector;
        let occupant = self.connector.java.enter(name, &[&self.config])?;
        let process = Arc::clone(occupant.process());
        process.askers().add_connector(name, self.context.clone());
        let (class, config) = (&self.connector.plugin.class, config_json::to_json(&self.config));
        let request = json!({ "connector": name, "class": class, "config": config });
        match process.calls().call("CONNECTOR_START", request, START_LIMIT, &|| false) {
            Ok(_) => Ok(occupant),
            Err(error) => {
                process.askers().remove_connector(name);
                Err(occupant.failed(error).1)
            }
        }
    }

    fn settle(self: &Arc<Self>, occupant: Occupant, place: &mut Option<Occupant>) {
        let this: Arc<dyn Movable> = Arc::<Self>::clone(self);
        occupant.moves(&this);
        *place = Some(occupant);
    }

    fn call(&self, call: &str, mut request: Value, limit: Duration) -> Result<Value> {
        let name = &self.context.connector;
        let mut place = self.occupant.lock();
        let Some(occupant) = place.take() else {
            return Err(Error::fatal(format!("the Java instance of connector `{name}` does not run any more")));
        };
        request["connector"] = json!(name);
        match occupant.process().calls().call(call, request, limit, &|| false) {
            Ok(answer) => {
                *place = Some(occupant);
                Ok(answer)
            }
            Err(error) => {
                let (occupant, error) = occupant.failed(error);
                *place = occupant;
                Err(error)
            }
        }
    }

    fn stop(&self) {
        let Some(occupant) = self.occupant.lock().take() else { return };
        self.leave(occupant);
    }

    fn leave(&self, occupant: Occupant) {
        let connector = &self.context.connector;
        let process = Arc::clone(occupant.process());
        process.askers().remove_connector(connector);
        let stopped = process.calls().call("CONNECTOR_STOP", json!({ "connector": connector }), STOP_LIMIT, &|| false);
        if let Err(error) = stopped {
            let (_, error) = occupant.failed(error);
            warn!(target: "volley_jvm", connector, error = error.trace(), "a Java connector could not stop in order");
        }
    }
}

impl Movable for Instance {
    fn move_on(self: Arc<Self>) {
        let mut place = self.occupant.lock();
        let Some(old) = place.take() else { return };
        self.leave(old);
        match self.enter() {
            Ok(new) => self.settle(new, &mut place),
            Err(error) => self.context.raise_error(error),
        }
    }
}

#[derive(Debug)]
struct RunningJavaConnector(Arc<Instance>);

impl RunningConnector for RunningJavaConnector {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        let answer = self.0.call("TASK_CONFIGS", json!({ "max_tasks": max_tasks }), START_LIMIT)?;
        let name = &self.0.context.connector;
        each(&answer["configs"]).map(|config| config_json::from_json(name, config)).collect()
    }

    fn stop(&mut self) {
        self.0.stop();
    }
}

impl Drop for RunningJavaConnector {
    fn drop(&mut self) {
        self.0.stop();
    }
}
