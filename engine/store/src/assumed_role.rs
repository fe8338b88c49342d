//! Credentials of a role of AWS, which are asked for with other credentials.
//!
//! ```text
//!  own credentials ─ AssumeRole, signed ─► security token service ─► credentials for an hour
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::{ClientOptions, CredentialProvider};
use url::Url;

use crate::s3_options::S3Role;

/// How long the service is asked to let a session last: what every role allows.
const SESSION: Duration = Duration::from_secs(3600);
/// A session is renewed when it has no more than this left: longer than any request takes.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);
const STORE: &str = "S3";

/// Why a role could not be assumed.
#[derive(Debug, thiserror::Error)]
enum RoleError {
    /// No request can be made of the settings.
    #[error("`store.s3.sts.endpoint` {0} is not a URL")]
    Endpoint(String),
    /// The service was not reached.
    #[error("the security token service at {0} could not be reached")]
    Unreachable(String, #[source] object_store::client::HttpError),
    /// The service says no.
    #[error("the role {arn} was refused: {reason}")]
    Refused {
        /// The role.
        arn: String,
        /// What the service says.
        reason: String,
    },
    /// The answer is none of a security token service.
    #[error("the security token service at {0} gave an answer without credentials")]
    Answer(String),
}

/// Gives the credentials of a role, and renews them.
#[derive(Debug)]
pub(crate) struct AssumedRole {
    role: S3Role,
    region: String,
    endpoint: String,
    own: AwsCredentialProvider,
    client: HttpClient,
    session: Mutex<Option<Session>>,
}

#[derive(Clone, Debug)]
struct Session {
    credential: Arc<AwsCredential>,
    renewed_from: Instant,
}

impl AssumedRole {
    /// The role as whoever has the credentials `own`. Asks for nothing yet.
    ///
    /// # Errors
    /// If there can be no HTTP client with these options.
    pub(crate) fn new(
        role: &S3Role,
        region: &str,
        own: AwsCredentialProvider,
        options: &ClientOptions,
    ) -> object_store::Result<Self> {
        let endpoint = role.sts_endpoint.clone().unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com"));
        let options = options.clone().with_allow_http(endpoint.starts_with("http://"));
        let client = ReqwestConnector::default().connect(&options)?;
        Ok(Self { role: role.clone(), region: region.to_owned(), endpoint, own, client, session: Mutex::new(None) })
    }

    fn present(&self) -> Option<Arc<AwsCredential>> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = session.as_ref().filter(|session| Instant::now() < session.renewed_from);
        usable.map(|session| Arc::clone(&session.credential))
    }

    fn request(&self, own: &AwsCredential) -> Result<HttpRequest, RoleError> {
        let no_url = || RoleError::Endpoint(self.endpoint.clone());
        let mut url = Url::parse(&self.endpoint).map_err(|_| no_url())?;
        url.query_pairs_mut()
            .append_pair("Action", "AssumeRole")
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleArn", &self.role.arn)
            .append_pair("RoleSessionName", &self.role.session_name)
            .append_pair("DurationSeconds", &SESSION.as_secs().to_string())
            .extend_pairs(self.role.external_id.iter().map(|id| ("ExternalId", id)));
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.as_str().parse().map_err(|_| no_url())?;
        AwsAuthorizer::new(own, "sts", &self.region).authorize(&mut request, None);
        Ok(request)
    }

    async fn assume(&self, own: &AwsCredential) -> Result<Session, RoleError> {
        let asked = Instant::now();
        let request = self.request(own)?;
        let unreachable = |error| RoleError::Unreachable(self.endpoint.clone(), error);
        let (head, body) = self.client.execute(request).await.map_err(unreachable)?.into_parts();
        let body = body.bytes().await.map_err(unreachable)?;
        let text = String::from_utf8_lossy(&body);
        if !head.status.is_success() {
            let (code, message) = (element(&text, "Code"), element(&text, "Message"));
            let reason = match (code, message) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                _ => head.status.to_string(),
            };
            return Err(RoleError::Refused { arn: self.role.arn.clone(), reason });
        }
        let credential = || {
            Some(AwsCredential {
                key_id: element(&text, "AccessKeyId")?.to_owned(),
                secret_key: element(&text, "SecretAccessKey")?.to_owned(),
                token: Some(element(&text, "SessionToken")?.trim().to_owned()),
            })
        };
        let credential = credential().ok_or_else(|| RoleError::Answer(self.endpoint.clone()))?;
        Ok(Session { credential: Arc::new(credential), renewed_from: asked + SESSION - RENEWED_BEFORE })
    }
}

#[async_trait]
impl CredentialProvider for AssumedRole {
    type Credential = AwsCredential;

    /// Of two requests at once that find no session both ask for one, and the later answer stays.
    ///
    /// # Cancellation
    /// Safe: nothing is changed before the answer is there.
    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        if let Some(credential) = self.present() {
            return Ok(credential);
        }
        let own = self.own.get_credential().await?;
        let session = self.assume(&own).await.map_err(|error| match error {
            RoleError::Refused { ref arn, .. } => {
                object_store::Error::PermissionDenied { path: arn.clone(), source: Box::new(error) }
            }
            error => object_store::Error::Generic { store: STORE, source: Box::new(error) },
        })?;
        let credential = Arc::clone(&session.credential);
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        Ok(credential)
    }
}

/// What is in the first element of this name. The service's answers have no attributes and nothing escaped.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

#[cfg(test)]
mod tests {
    use object_store::StaticCredentialProvider;

    use super::*;
    use crate::test_service::{run, service};

    const GRANTED: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
        <SecretAccessKey>s/e+c</SecretAccessKey><SessionToken>t/o+k==</SessionToken></Credentials></AssumeRoleResult>\
        </AssumeRoleResponse>";
    const DENIED: &str =
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";

    fn assumed(endpoint: String) -> AssumedRole {
        let own = AwsCredential { key_id: "AKIA".into(), secret_key: "hunter2".into(), token: None };
        let role = S3Role {
            arn: "arn:aws:iam::1:role/w".into(),
            session_name: "s".into(),
            external_id: Some("x y".into()),
            sts_endpoint: Some(endpoint),
        };
        let own = Arc::new(StaticCredentialProvider::new(own));
        AssumedRole::new(&role, "eu-west-1", own, &ClientOptions::new()).unwrap()
    }

    #[test]
    fn a_role_is_asked_for_once_with_a_signed_request_and_kept() {
        let (url, answered) = service("200 OK", "", GRANTED);
        let role = assumed(url);
        // the service answers once only: the second time the session is there
        let (first, second) =
            run(async { (role.get_credential().await.unwrap(), role.get_credential().await.unwrap()) });
        assert_eq!((first.key_id.as_str(), first.secret_key.as_str()), ("ASIA1", "s/e+c"));
        assert_eq!(first.token.as_deref(), Some("t/o+k=="));
        assert!(Arc::ptr_eq(&first, &second));
        let asked = answered.join().unwrap();
        for part in [
            "get /?action=assumerole&",
            "rolearn=arn%3aaws%3aiam%3a%3a1%3arole%2fw",
            "externalid=x+y",
            "durationseconds=3600",
        ] {
            assert!(asked.contains(part), "{part}: {asked}");
        }
        assert!(asked.contains("credential=akia/") && asked.contains("/eu-west-1/sts/aws4_request"), "{asked}");
        assert!(!asked.contains("hunter2"));
    }

    #[test]
    fn a_refusal_is_said_in_the_services_words() {
        let (url, answered) = service("403 Forbidden", "", DENIED);
        let error = run(assumed(url).get_credential()).unwrap_err();
        answered.join().unwrap();
        assert!(matches!(error, object_store::Error::PermissionDenied { .. }), "{error:?}");
        let text = crate::error_text(&error);
        assert!(text.contains("role arn:aws:iam::1:role/w was refused: AccessDenied: not you"), "{text}");
    }

    #[test]
    fn an_answer_without_credentials_is_an_error() {
        let (url, answered) = service("200 OK", "", "<html/>");
        let error = run(assumed(url).get_credential()).unwrap_err();
        answered.join().unwrap();
        assert!(crate::error_text(&error).contains("without credentials"), "{error:?}");
    }
}
