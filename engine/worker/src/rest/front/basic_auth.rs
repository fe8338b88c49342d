//! Basic authentication for REST, as `BasicAuthSecurityRestExtension` with `PropertyFileLoginModule` does it in Kafka
//! Connect.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use volley_api::{Error, Result};
use volley_java::{decode_base64, file_text, parse_login_file, read_properties};
use volley_net::constant_time_eq;

use crate::rest::error::{RestError, RestResult};
use crate::worker_config::WorkerConfig;

const EXTENSIONS: &str = "rest.extension.classes";
const EXTENSION: &str = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";
const LOGIN_MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
const ENTRY: &str = "KafkaConnect";
const USER_FILE: &str = "volley.rest.basic.auth.file";
const JAVA_OPTION: &str = "-Djava.security.auth.login.config=";

/// The users of REST, with their passwords.
#[derive(Clone)]
pub(crate) struct BasicAuth {
    passwords: BTreeMap<String, String>,
}

impl fmt::Debug for BasicAuth {
    /// Prints the names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth").field("users", &self.passwords.keys().collect::<Vec<_>>()).finish()
    }
}

impl BasicAuth {
    /// The users of a worker; `None` if `rest.extension.classes` is empty. They are read from the properties file
    /// `volley.rest.basic.auth.file`, otherwise from that of the login configuration in `java_options` (`KAFKA_OPTS`).
    ///
    /// Reads the files, so it MUST NOT run on a thread that must not block.
    ///
    /// # Errors
    /// `Config`: an unknown extension, no file, one that cannot be read, or one without users.
    pub(crate) fn of_worker(config: &WorkerConfig, java_options: Option<&str>) -> Result<Option<Self>> {
        let extensions = config.parsed().list(EXTENSIONS);
        let is_known = |name: &&String| *name == EXTENSION || EXTENSION.ends_with(&format!(".{name}"));
        if let Some(unknown) = extensions.iter().find(|name| !is_known(name)) {
            return Err(Error::config(format!(
                "could not load `{unknown}` of `{EXTENSIONS}`: REST extensions are Java classes; the one that Volley has \
                 itself is {EXTENSION}"
            )));
        }
        if extensions.is_empty() {
            return Ok(None);
        }
        let file = match config.parsed().string(USER_FILE).filter(|file| !file.is_empty()) {
            Some(file) => PathBuf::from(file),
            None => file_of_login_configuration(java_options)?,
        };
        let passwords: BTreeMap<String, String> = read_properties(&file)?.into_iter().collect();
        match passwords.is_empty() {
            true => Err(Error::config(format!(
                "could not find a user in {}: add lines `user=password`, or empty `{EXTENSIONS}` to let everybody in",
                file.display()
            ))),
            false => Ok(Some(Self { passwords })),
        }
    }

    /// Whether a request with these headers is authorized.
    pub(crate) fn check(&self, headers: &HeaderMap) -> RestResult<()> {
        let given = headers.get(AUTHORIZATION).map(|value| value.as_bytes()).and_then(basic_credentials);
        let Some(given) = given else { return Err(RestError::NotAllowed) };
        let given =
            decode_base64(given).map_err(|message| RestError::Status(StatusCode::INTERNAL_SERVER_ERROR, message))?;
        let given = String::from_utf8_lossy(&given);
        let known = given.split_once(':').and_then(|(user, password)| Some((self.passwords.get(user)?, password)));
        match known {
            Some((expected, password)) if constant_time_eq(expected.as_bytes(), password.as_bytes()) => Ok(()),
            _ => Err(RestError::NotAllowed),
        }
    }
}

/// The part after `Basic `.
fn basic_credentials(authorization: &[u8]) -> Option<&[u8]> {
    let blank = authorization.iter().position(|byte| *byte == b' ')?;
    let (scheme, credentials) = authorization.split_at(blank);
    scheme.eq_ignore_ascii_case(b"basic").then(|| &credentials[1..])
}

/// The `file` option of the login module that is configured for REST.
fn file_of_login_configuration(java_options: Option<&str>) -> Result<PathBuf> {
    let named = java_options.unwrap_or_default().split_whitespace().find_map(|word| word.strip_prefix(JAVA_OPTION));
    let Some(path) = named.map(|path| path.trim_matches(['"', '\''])) else {
        return Err(Error::config(format!(
            "could not find the users of REST: name a file with lines `user=password` in `{USER_FILE}`, or a login \
             configuration by {JAVA_OPTION}FILE in the environment variable KAFKA_OPTS"
        )));
    };
    let wrong = |what: String| Error::config(format!("could not use the login configuration {path}: {what}"));
    let bytes = std::fs::read(Path::new(path)).map_err(|error| wrong(error.to_string()))?;
    let text = file_text(&bytes).map_err(|reason| wrong(reason.to_owned()))?;
    let mut entries = parse_login_file(&text).map_err(wrong)?;
    let modules = entries.remove(ENTRY).ok_or_else(|| wrong(format!("it has no entry {ENTRY}")))?;
    let [module] = &modules[..] else {
        return Err(wrong(format!("entry {ENTRY} must have one login module, {LOGIN_MODULE}")));
    };
    if module.class != LOGIN_MODULE {
        return Err(wrong(format!("{} is not known: entry {ENTRY} must have {LOGIN_MODULE}", module.class)));
    }
    let file = module.options.get("file").filter(|file| !file.is_empty());
    file.map(PathBuf::from)
        .ok_or_else(|| wrong(format!("{LOGIN_MODULE} has no option `file`, which names the users' file")))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use volley_api::testing::config_map;

    use super::*;

    fn auth(more: &[(&str, &str)], java_options: Option<&str>) -> Result<Option<BasicAuth>> {
        let mut entries = vec![("key.converter", "x"), ("value.converter", "x"), ("offset.storage.file.filename", "x")];
        entries.extend_from_slice(more);
        BasicAuth::of_worker(&WorkerConfig::standalone(config_map(&entries)).unwrap(), java_options)
    }

    fn check(auth: &BasicAuth, authorization: &str) -> Option<RestError> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(authorization).unwrap())]);
        auth.check(&headers).err()
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn who_knows_a_password_is_let_in() {
        let dir = tempfile::tempdir().unwrap();
        let users = dir.path().join("users.properties");
        std::fs::write(&users, "alice=s3:cret\nbob: pass word\n").unwrap();
        let jaas = dir.path().join("jaas.conf");
        let entry = format!("\u{feff}KafkaConnect {{ {LOGIN_MODULE} required file=\"{}\"; }};", users.display());
        std::fs::write(&jaas, entry).unwrap();
        let options = format!("-Xmx1g {JAVA_OPTION}{} -Dx=y", jaas.display());
        let by_jaas = auth(&[(EXTENSIONS, EXTENSION)], Some(&options)).unwrap().unwrap();
        let file = users.display().to_string();
        let by_key =
            auth(&[(EXTENSIONS, "BasicAuthSecurityRestExtension"), (USER_FILE, &file)], None).unwrap().unwrap();
        for auth in [by_jaas, by_key] {
            assert!(check(&auth, &basic("alice", "s3:cret")).is_none());
            assert!(check(&auth, &basic("bob", "pass word").replace("Basic", "bAsIc")).is_none());
            for wrong in
                [&basic("bob", "x"), &basic("carol", ""), &basic("", ""), "Bearer x", "Basic", "Basic YWxpY2U="]
            {
                assert!(matches!(check(&auth, wrong), Some(RestError::NotAllowed)), "{wrong}");
            }
            assert!(matches!(check(&auth, "Basic !!!!"), Some(RestError::Status(_, text)) if text.contains("base64")));
            assert!(!format!("{auth:?}").contains("s3"));
        }
    }

    #[test]
    fn a_worker_does_not_start_open_by_mistake() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).unwrap();
            dir.path().join(name).display().to_string()
        };
        assert!(auth(&[], None).unwrap().is_none());
        let error = auth(&[(EXTENSIONS, "org.x.Mine")], None).unwrap_err().to_string();
        assert!(error.contains("org.x.Mine"), "{error}");
        let basic = (EXTENSIONS, EXTENSION);
        assert!(auth(&[basic], None).unwrap_err().to_string().contains(USER_FILE));
        let empty = file("empty", "");
        assert!(auth(&[basic, (USER_FILE, &empty)], None).unwrap_err().to_string().contains("user=password"));
        for jaas in ["Other { x.Y required; };", "KafkaConnect { x.Y required; };", "KafkaConnect { };", "KafkaConnect"]
        {
            let options = format!("{JAVA_OPTION}{}", file("jaas", jaas));
            assert!(auth(&[basic], Some(&options)).unwrap_err().to_string().contains("login configuration"), "{jaas}");
        }
        let options =
            format!("{JAVA_OPTION}{}", file("jaas", &format!("KafkaConnect {{ {LOGIN_MODULE} required; }};")));
        assert!(auth(&[basic], Some(&options)).unwrap_err().to_string().contains("`file`"));
    }
}
