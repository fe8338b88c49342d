//! A Java connector, as the worker's.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tracing::warn;
use volley_api::{
    ConfigAnswer, ConfigDef, ConfigMap, Connector, ConnectorContext, Error, Result, RunningConnector, SourceOffset,
    SourcePartition, Support,
};

use crate::config_json;
use crate::discovery::{FoundPlugin, JavaKind, config_answer, config_def};
use crate::hosts::{Occupant, QUESTION_LIMIT};
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
        let name = context.connector.clone();
        let occupant = self.java.enter(&name, &[config])?;
        let process = Arc::clone(occupant.process());
        process.askers().add_connector(&name, context);
        let config = config_json::to_json(config);
        let request = json!({ "connector": name, "class": self.plugin.class, "config": config });
        match process.calls().call("CONNECTOR_START", request, START_LIMIT, &|| false) {
            Ok(_) => Ok(Box::new(RunningJavaConnector { name, occupant: Some(occupant) })),
            Err(error) => {
                process.askers().remove_connector(&name);
                Err(occupant.failed(error).1)
            }
        }
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
struct RunningJavaConnector {
    name: String,
    /// `None` once it is stopped or lost.
    occupant: Option<Occupant>,
}

impl RunningJavaConnector {
    fn call(&mut self, call: &str, mut request: Value, limit: Duration) -> Result<Value> {
        let Some(occupant) = self.occupant.take() else {
            return Err(Error::fatal(format!("the Java instance of connector `{}` does not run any more", self.name)));
        };
        request["connector"] = json!(self.name);
        match occupant.process().calls().call(call, request, limit, &|| false) {
            Ok(answer) => {
                self.occupant = Some(occupant);
                Ok(answer)
            }
            Err(error) => {
                let (occupant, error) = occupant.failed(error);
                self.occupant = occupant;
                Err(error)
            }
        }
    }
}

impl RunningConnector for RunningJavaConnector {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        let answer = self.call("TASK_CONFIGS", json!({ "max_tasks": max_tasks }), START_LIMIT)?;
        each(&answer["configs"]).map(|config| config_json::from_json(&self.name, config)).collect()
    }

    fn stop(&mut self) {
        let Some(occupant) = &self.occupant else { return };
        occupant.process().askers().remove_connector(&self.name);
        if let Err(error) = self.call("CONNECTOR_STOP", json!({}), STOP_LIMIT) {
            let connector = &self.name;
            warn!(target: "volley_jvm", connector, error = error.trace(), "a Java connector could not stop in order");
        }
        self.occupant = None;
    }
}

impl Drop for RunningJavaConnector {
    fn drop(&mut self) {
        self.stop();
    }
}
