//! A file that a web server gives.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use tokio::runtime::{Builder, Runtime};
use url::Url;
use volley_api::{ConfigMap, Error, Result};
use volley_net::{HttpAnswer, HttpClient, HttpLimits, HttpRequest};

use super::lookup_config::LookupConfig;
use super::table_file::{Content, Failure, Stamp, TableFile};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct HttpFile {
    url: Url,
    client: HttpClient,
    runtime: Runtime,
}

impl HttpFile {
    /// The file at `url`, with the `ssl.*` keys of `config`.
    pub(super) fn new(url: Url, config: &LookupConfig) -> Result<Self> {
        if !url.username().is_empty() || url.password().is_some() {
            let key = &config.key;
            return Err(Error::config(format!(
                "`{key}`: a user in the URL is not possible; a query such as ?token= is"
            )));
        }
        let is_tls = |(key, _): &(&String, &String)| key.starts_with("ssl.");
        let tls: ConfigMap =
            config.settings.iter().filter(is_tls).map(|(key, value)| (key.clone(), value.clone())).collect();
        let limits = HttpLimits {
            connect_timeout: CONNECT_TIMEOUT,
            answer_timeout: ANSWER_TIMEOUT,
            max_answer: usize::try_from(config.max_bytes).unwrap_or(usize::MAX),
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::fatal("could not start a client for http").with_source(error))?;
        Ok(Self { url, client: HttpClient::new(tls, limits), runtime })
    }

    fn ask(&self, known: Option<&Stamp>) -> std::result::Result<HttpAnswer, Failure> {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let condition = known.and_then(|stamp| {
            let (name, value) = stamp.0.split_once(": ")?;
            let name = if name == ETAG.as_str() { IF_NONE_MATCH } else { IF_MODIFIED_SINCE };
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        let request = HttpRequest {
            method: Method::GET,
            url: self.url.clone(),
            target: format!("{}{query}", self.url.path()),
            headers: condition.into_iter().collect::<Vec<(HeaderName, HeaderValue)>>(),
            body: Bytes::new(),
        };
        self.runtime.block_on(self.client.send(request)).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        })
    }
}

impl TableFile for HttpFile {
    fn read(&mut self, known: Option<&Stamp>) -> std::result::Result<Content, Failure> {
        let answer = self.ask(known)?;
        match answer.status {
            304 if known.is_some() => Ok(Content::Unchanged),
            200 => {
                let stamp = [ETAG, LAST_MODIFIED].into_iter().find_map(|name| {
                    let value = answer.headers.get(&name)?.to_str().ok()?;
                    Some(Stamp(format!("{name}: {value}")))
                });
                Ok(Content::Version(stamp, answer.body))
            }
            status => Err(format!("the server answers {status}")),
        }
    }
}
