//! Credentials and regions from the files that AWS' command line writes: `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

const DEFAULT: &str = "default";
const STORE: &str = "S3";

/// Why a profile gives no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfileError {
    /// It is in neither file.
    #[error("the profile `{profile}` is neither in {credentials} nor in {config}")]
    Missing {
        /// Its name.
        profile: String,
        /// The file of credentials.
        credentials: String,
        /// The file of other settings.
        config: String,
    },
    /// It has no keys.
    #[error(
        "the profile `{profile}` has no `aws_access_key_id` and `aws_secret_access_key`; other ways to log in, such as \
         credential_process and sso, are not known here"
    )]
    NoKeys {
        /// Its name.
        profile: String,
    },
    /// A profile whose credentials another one wants leads back to it, or on to a third.
    #[error("the profile `{profile}` takes its credentials from `{source_profile}`, which must have keys of its own")]
    SourceOfSource {
        /// Its name.
        profile: String,
        /// The other one.
        source_profile: String,
    },
}

impl From<ProfileError> for object_store::Error {
    fn from(error: ProfileError) -> Self {
        Self::Generic { store: STORE, source: Box::new(error) }
    }
}

/// The two files.
#[derive(Clone, Debug)]
pub(crate) struct ProfileFiles {
    credentials: PathBuf,
    config: PathBuf,
}

/// What the files say of a profile, without its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The profile whose keys count.
    pub(crate) keys_of: String,
    /// Where it works.
    pub(crate) region: Option<String>,
    /// The role that it assumes with these keys: its name, the session's, and the external id.
    pub(crate) role: Option<(String, Option<String>, Option<String>)>,
}

type Settings = BTreeMap<String, String>;

impl ProfileFiles {
    /// Where the environment has them; `None` without a home directory.
    pub(crate) fn usual() -> Option<Self> {
        let path = |variable: &str, name: &str| {
            let given = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
            given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".aws").join(name)))
        };
        Some(Self {
            credentials: path("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
            config: path("AWS_CONFIG_FILE", "config")?,
        })
    }

    /// The profile `name`. Without a name the usual one, which need not be there.
    pub(crate) fn profile(&self, name: Option<&str>) -> Result<Option<Profile>, ProfileError> {
        let profile = name.unwrap_or(DEFAULT);
        let settings = match (self.settings(profile), name) {
            (Some(settings), _) => settings,
            (None, None) => return Ok(None),
            (None, Some(_)) => {
                let [credentials, config] = [&self.credentials, &self.config].map(|path| path.display().to_string());
                return Err(ProfileError::Missing { profile: profile.to_owned(), credentials, config });
            }
        };
        let text = |key: &str| settings.get(key).cloned();
        let keys_of = text("source_profile").unwrap_or_else(|| profile.to_owned());
        let has_keys = self.keys(&keys_of).is_some();
        if !has_keys {
            return match (name, keys_of == profile) {
                // the file may be there for its region alone
                (None, true) => Ok(None),
                (_, true) => Err(ProfileError::NoKeys { profile: profile.to_owned() }),
                (_, false) => {
                    Err(ProfileError::SourceOfSource { profile: profile.to_owned(), source_profile: keys_of })
                }
            };
        }
        let role = text("role_arn").map(|arn| (arn, text("role_session_name"), text("external_id")));
        Ok(Some(Profile { keys_of, region: text("region"), role }))
    }

    /// What both files say; the credentials come first.
    fn settings(&self, profile: &str) -> Option<Settings> {
        let in_config = match profile {
            DEFAULT => section(&self.config, DEFAULT),
            other => section(&self.config, &format!("profile {other}")),
        };
        let in_credentials = section(&self.credentials, profile);
        if in_config.is_none() && in_credentials.is_none() {
            return None;
        }
        let mut settings = in_config.unwrap_or_default();
        settings.extend(in_credentials.unwrap_or_default());
        Some(settings)
    }

    fn keys(&self, profile: &str) -> Option<AwsCredential> {
        let mut settings = self.settings(profile)?;
        Some(AwsCredential {
            key_id: settings.remove("aws_access_key_id").filter(|text| !text.is_empty())?,
            secret_key: settings.remove("aws_secret_access_key").filter(|text| !text.is_empty())?,
            token: settings.remove("aws_session_token").filter(|text| !text.is_empty()),
        })
    }

    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.credentials, &self.config].map(|path| std::fs::metadata(path).ok()?.modified().ok())
    }
}

/// Gives the keys of a profile, and reads them again when the files change.
pub(crate) struct ProfileCredentials {
    files: ProfileFiles,
    profile: String,
    known: Mutex<Option<Known>>,
}

struct Known {
    changed: [Option<SystemTime>; 2],
    credential: Arc<AwsCredential>,
}

impl ProfileCredentials {
    /// Those of `profile`.
    pub(crate) fn new(files: ProfileFiles, profile: &str) -> Self {
        Self { files, profile: profile.to_owned(), known: Mutex::new(None) }
    }
}

impl fmt::Debug for ProfileCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileCredentials").field("profile", &self.profile).finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for ProfileCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let changed = self.files.changed();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.changed == changed) {
            return Ok(Arc::clone(&known.credential));
        }
        match (self.files.keys(&self.profile), known.as_ref()) {
            (Some(credential), _) => {
                let credential = Arc::new(credential);
                *known = Some(Known { changed, credential: Arc::clone(&credential) });
                Ok(credential)
            }
            // half written, perhaps: those of before may still do
            (None, Some(known)) => Ok(Arc::clone(&known.credential)),
            (None, None) => Err(ProfileError::NoKeys { profile: self.profile.clone() }.into()),
        }
    }
}

/// A section of a file; `None` if the file or the section is not there.
fn section(path: &Path, name: &str) -> Option<Settings> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut found: Option<Settings> = None;
    let mut is_in = false;
    for line in text.lines() {
        let is_nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            is_in = header.0.split_whitespace().eq(name.split_whitespace());
            if is_in {
                found.get_or_insert_default();
            }
        } else if let Some((key, value)) = line.split_once('=')
            && is_in
            && !is_nested
            && !line.starts_with(['#', ';'])
        {
            found.get_or_insert_default().insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_service::run;

    fn files(name: &str, credentials: &str, config: &str) -> ProfileFiles {
        let directory = std::env::temp_dir().join(format!("volley-profiles-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let files = ProfileFiles { credentials: directory.join("credentials"), config: directory.join("config") };
        std::fs::write(&files.credentials, credentials).unwrap();
        std::fs::write(&files.config, config).unwrap();
        files
    }

    const CREDENTIALS: &str = "# mine\n[default]\naws_access_key_id = AKIA\naws_secret_access_key=s=1\n\
        [lake]\naws_access_key_id=LAKE\naws_secret_access_key=two\naws_session_token = t\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 1\n[profile lake]\n; far\nregion=us-west-2\n\
        [profile writer]\nrole_arn = arn:aws:iam::1:role/w\nsource_profile = lake\nexternal_id=7\n[profile sso]\nsso_session = x\n";

    #[test]
    fn a_profile_has_its_keys_region_and_role() {
        let files = files("a", CREDENTIALS, CONFIG);
        let of = |name: Option<&str>| files.profile(name).unwrap().unwrap();
        assert_eq!(of(None), Profile { keys_of: "default".into(), region: Some("eu-west-1".into()), role: None });
        assert_eq!(of(Some("lake")).region.as_deref(), Some("us-west-2"));
        let writer = of(Some("writer"));
        assert_eq!(writer.keys_of, "lake");
        assert_eq!(writer.role, Some(("arn:aws:iam::1:role/w".into(), None, Some("7".into()))));
        let credential = run(ProfileCredentials::new(files.clone(), "lake").get_credential()).unwrap();
        assert_eq!((credential.key_id.as_str(), credential.token.as_deref()), ("LAKE", Some("t")));
        let credential = run(ProfileCredentials::new(files, "default").get_credential()).unwrap();
        assert_eq!((credential.secret_key.as_str(), credential.token.as_deref()), ("s=1", None));
    }

    #[test]
    fn what_a_profile_lacks_is_said_without_secrets() {
        let files = files("b", CREDENTIALS, CONFIG);
        let error = |name: &str| files.profile(Some(name)).unwrap_err().to_string();
        assert!(error("nobody").contains("`nobody` is neither in") && error("nobody").contains("credentials"));
        assert!(error("sso").contains("has no `aws_access_key_id`"));
        assert_eq!(self::files("c", "", "[default]\nregion=x\n").profile(None).unwrap(), None);
        let looped = self::files("d", "", "[profile a]\nsource_profile=b\n[profile b]\nsource_profile=a\n");
        assert!(looped.profile(Some("a")).unwrap_err().to_string().contains("must have keys of its own"));
        let provider = ProfileCredentials::new(files, "default");
        run(provider.get_credential()).unwrap();
        assert!(!format!("{provider:?}").contains("s=1"));
    }

    #[test]
    fn keys_that_were_changed_in_the_file_are_the_next_ones() {
        let files = files("e", CREDENTIALS, "");
        let provider = ProfileCredentials::new(files.clone(), "default");
        let key = || run(provider.get_credential()).unwrap().key_id.clone();
        assert_eq!(key(), "AKIA");
        let later =
            std::fs::metadata(&files.credentials).unwrap().modified().unwrap() + std::time::Duration::from_secs(10);
        let rewrite = |text: &str, time: SystemTime| {
            std::fs::write(&files.credentials, text).unwrap();
            std::fs::File::options().write(true).open(&files.credentials).unwrap().set_modified(time).unwrap();
        };
        rewrite(&CREDENTIALS.replace("AKIA", "NEXT"), later);
        assert_eq!(key(), "NEXT");
        rewrite("[default]\naws_acc", later + std::time::Duration::from_secs(10));
        assert_eq!(key(), "NEXT");
    }
}
