//! Connector files on the command line of a standalone worker.

use std::path::Path;

use serde_json::{Map, Value};
use volley_api::{ConfigMap, Error, Result};
use volley_java::{parse_properties, without_mark};

use crate::json_config::GivenConfig;
use crate::storage::TargetState;

/// A connector to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateConnector {
    /// Connector name, trimmed.
    pub name: String,
    /// Its configuration, which holds the name too.
    pub config: GivenConfig,
    /// The state it is to start in; `None` = STARTED.
    pub initial_state: Option<TargetState>,
}

/// Reads a connector file: a JSON object of the configuration, JSON in the form of `POST /connectors`, or Java properties.
///
/// # Errors
/// `Config`, naming the file and what is wrong with it.
pub fn read_connector_file(path: &Path) -> Result<CreateConnector> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| Error::config(format!("could not read connector file `{name}`")).with_source(error))?;
    parse_connector_file(&bytes, &name)
}

fn parse_connector_file(bytes: &[u8], file: &str) -> Result<CreateConnector> {
    let bytes = without_mark(bytes);
    match serde_json::from_slice::<Map<String, Value>>(bytes) {
        Ok(members) if members.get("config").is_some_and(Value::is_object) => from_request(members, file),
        Ok(members) => from_config(members, file),
        Err(error) if bytes.trim_ascii_start().starts_with(b"{") => {
            Err(Error::config(format!("could not parse connector file `{file}` as JSON")).with_source(error))
        }
        Err(_) => named(parse_properties(bytes, file)?.into(), file),
    }
}

fn from_config(members: Map<String, Value>, file: &str) -> Result<CreateConnector> {
    named(given(members, file)?, file)
}

fn named(config: GivenConfig, file: &str) -> Result<CreateConnector> {
    match config.values.get("name").map(|name| name.trim().to_owned()) {
        Some(name) => Ok(CreateConnector { name, config, initial_state: None }),
        None => {
            Err(Error::config(format!("could not find `name` in connector file `{file}`: give the connector a name")))
        }
    }
}

fn from_request(mut members: Map<String, Value>, file: &str) -> Result<CreateConnector> {
    let name = members.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let initial_state = match members.get("initial_state").filter(|state| !state.is_null()) {
        None => None,
        Some(state) => Some(state.as_str().and_then(TargetState::from_request).ok_or_else(|| {
            Error::config(format!(
                "could not read `initial_state` {state} in connector file `{file}`: it must be RUNNING, PAUSED or STOPPED"
            ))
        })?),
    };
    let Some(Value::Object(config)) = members.remove("config") else { return from_config(members, file) };
    let mut config = given(config, file)?;
    match config.values.get("name") {
        Some(own) if own.trim() != name => Err(Error::config(format!(
            "connector file `{file}` has the name `{name}` but its config has `{own}`: give both the same name"
        ))),
        Some(_) => Ok(CreateConnector { name, config, initial_state }),
        None => {
            config.values.insert("name".into(), name.clone());
            Ok(CreateConnector { name, config, initial_state })
        }
    }
}

fn given(members: Map<String, Value>, file: &str) -> Result<GivenConfig> {
    GivenConfig::from_json(members)
        .map_err(|reason| Error::config(format!("could not read connector file `{file}`: {reason}")))
}

/// For tests and embedders: a connector from its configuration.
impl TryFrom<ConfigMap> for CreateConnector {
    type Error = Error;

    fn try_from(config: ConfigMap) -> Result<Self> {
        named(config.into(), "configuration")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_mean_the_same() {
        let forms = [
            "name=a\ntasks.max=2\n",
            r#"{"name": "a", "tasks.max": 2}"#,
            "\u{feff}{\"name\": \"a\", \"tasks.max\": 2}",
            r#"{"name": " a ", "config": {"name": "a", "tasks.max": "2"}, "extra": 1}"#,
        ];
        for form in forms {
            let connector = parse_connector_file(form.as_bytes(), "f").unwrap();
            assert_eq!((connector.name.as_str(), connector.config.values["tasks.max"].as_str()), ("a", "2"), "{form}");
        }
    }

    #[test]
    fn a_request_s_state_and_name_are_taken() {
        let text = r#"{"name": "a", "config": {"x": "y"}, "initial_state": "paused"}"#;
        let connector = parse_connector_file(text.as_bytes(), "f").unwrap();
        assert_eq!(connector.initial_state, Some(TargetState::Paused));
        assert_eq!(connector.config.values["name"], "a");
    }

    #[test]
    fn what_is_wrong_is_named_with_the_file() {
        for text in ["a=b", r#"{"name": "a", "config": {"name": "b"}}"#, "{\"name\": ", r#"{"a": "b"}"#, ""] {
            let error = parse_connector_file(text.as_bytes(), "sink.json").unwrap_err();
            assert!(error.to_string().contains("`sink.json`"), "{error}");
        }
    }
}
