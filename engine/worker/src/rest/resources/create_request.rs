//! The body of `POST /connectors`.

use crate::json_config::GivenConfig;
use crate::rest::error::{RestError, RestResult};
use crate::rest::json::json_body::{JsonBody, mismatch, null_map, object, string, string_map};
use crate::rest::json::json_text::{JsonText, Problem, Read, Token};
use crate::storage::TargetState;

const CLASS: &str = "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest";
const MEMBERS: [&str; 3] = ["config", "name", "initial_state"];

/// A connector to be created.
#[derive(Debug)]
pub(crate) struct CreateRequest {
    /// Trimmed; empty if there is none.
    pub(crate) name: String,
    pub(crate) config: GivenConfig,
    pub(crate) initial_state: Option<TargetState>,
}

impl CreateRequest {
    /// Parses a body.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn parse(body: &JsonBody) -> RestResult<Self> {
        let read = body.read(CLASS, |text, first| {
            let (mut name, mut config, mut initial_state) = (None, None, None);
            object(CLASS, &MEMBERS, text, first, |member, text, first| {
                match member {
                    "name" => name = string(text, first)?,
                    "config" if first == Token::Null => config = None,
                    "config" => config = Some(string_map(text, first)?),
                    _ => initial_state = state(text, first)?,
                }
                Ok(())
            })?;
            Ok((name, config, initial_state))
        });
        let Some((name, config, initial_state)) = read.await? else {
            return Err(RestError::internal(format!(
                "Cannot invoke \"{CLASS}.name()\" because \"createRequest\" is null"
            )));
        };
        let name = name.unwrap_or_default().trim().to_owned();
        let config = config.ok_or_else(|| null_map("connectorConfig"))?;
        Ok(Self { name, config, initial_state })
    }
}

fn state(text: &JsonText<'_>, first: Token) -> Read<Option<TargetState>> {
    let place = text.place();
    let named = match first {
        Token::Null => return Ok(None),
        Token::StartArray => {
            let message = format!(
                "Input mismatch reading Enum `{CLASS}$InitialState`: properties-based `@JsonCreator` ([method \
                 {CLASS}$InitialState#forValue(java.lang.String)]) expects String Value, got Array value \
                 (`JsonToken.START_ARRAY`)"
            );
            return Err(Problem::new(message, place));
        }
        Token::StartObject => return Err(mismatch(&format!("{CLASS}$InitialState"), &first, place)),
        other => string(text, other)?.unwrap_or_default(),
    };
    TargetState::from_request(&named).map(Some).ok_or_else(|| {
        let upper = named.to_uppercase();
        let message = format!(
            "Cannot construct instance of `{CLASS}$InitialState`, problem: No enum constant {CLASS}.InitialState.{upper}"
        );
        Problem::new(message, place)
    })
}
