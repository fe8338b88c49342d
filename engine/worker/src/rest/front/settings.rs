//! The settings of REST, except for its listeners.

use volley_api::Result;

use crate::rest::front::basic_auth::BasicAuth;
use crate::rest::front::cors::Cors;
use crate::rest::front::response_headers::ResponseHeaders;
use crate::worker_config::WorkerConfig;

/// Users, the treatment of secrets, and the headers of answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct RestSettings {
    pub(crate) auth: Option<BasicAuth>,
    pub(crate) cors: Option<Cors>,
    pub(crate) headers: ResponseHeaders,
    /// Whether secrets in configurations are hidden.
    pub(crate) hides_secrets: bool,
}

impl RestSettings {
    /// The settings of a worker. Reads files, so it MUST NOT run on a thread that must not block.
    ///
    /// # Errors
    /// `Config`, naming the key or the file that is wrong.
    pub(crate) fn of_worker(config: &WorkerConfig) -> Result<Self> {
        let java_options = std::env::var("KAFKA_OPTS").ok();
        Ok(Self {
            auth: BasicAuth::of_worker(config, java_options.as_deref())?,
            cors: Cors::of_worker(config)?,
            headers: ResponseHeaders::of_worker(config)?,
            hides_secrets: config.parsed().string("volley.rest.secrets") == Some("hidden"),
        })
    }
}
