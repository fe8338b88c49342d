//! What S3 can be told beside where the bucket is: encryption, roles, storage class, tags.

use object_store::TagSet;
use volley_api::{Config, ConfigIssue, ConfigKey, ConfigType, ConfigValue, Importance, Secret, Validator};

const SSE_TYPE: &str = "store.s3.sse.type";
const SSE_KMS_KEY_ID: &str = "store.s3.sse.kms.key.id";
const SSE_CUSTOMER_KEY: &str = "store.s3.sse.customer.key";
const STORAGE_CLASS: &str = "store.s3.storage.class";
const ACL: &str = "store.s3.acl";
const OBJECT_TAGS: &str = "store.s3.object.tags";
const SKIP_SIGNATURE: &str = "store.s3.skip.signature";
const PROFILE: &str = "store.s3.profile";
const ROLE_ARN: &str = "store.s3.role.arn";
const ROLE_SESSION_NAME: &str = "store.s3.role.session.name";
const ROLE_EXTERNAL_ID: &str = "store.s3.role.external.id";
const STS_ENDPOINT: &str = "store.s3.sts.endpoint";

/// Shown in AWS' logs where nothing else is said.
pub(crate) const DEFAULT_SESSION_NAME: &str = "volley";
/// What S3 takes.
const MAX_TAGS: usize = 10;

/// The canned ACLs of S3; the empty text: none is sent.
const CANNED_ACLS: [&str; 9] = [
    "",
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "log-delivery-write",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "aws-exec-read",
];

/// The settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct S3Options {
    /// Server-side encryption, in the client's words.
    pub(crate) encryption: Option<S3Encryption>,
    /// Of new objects.
    pub(crate) storage_class: Option<String>,
    /// Of new objects: one of [`CANNED_ACLS`].
    pub(crate) acl: Option<String>,
    /// Of new objects.
    pub(crate) tags: TagSet,
    /// Whether requests go without a signature.
    pub(crate) skip_signature: bool,
    /// The role to be assumed.
    pub(crate) role: Option<S3Role>,
    /// Where the service is that gives roles, for the role of a profile.
    pub(crate) sts_endpoint: Option<String>,
    /// The profile whose keys count.
    pub(crate) profile: Option<String>,
}

/// Server-side encryption.
#[derive(Clone, Debug)]
pub(crate) struct S3Encryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse` or `sse-c`.
    pub(crate) kind: String,
    /// For the two of KMS.
    pub(crate) kms_key_id: Option<String>,
    /// For `sse-c`: 256 bits in base64.
    pub(crate) customer_key: Option<Secret>,
}

/// A role of AWS, and how to ask for it.
#[derive(Clone, Debug)]
pub(crate) struct S3Role {
    /// The role.
    pub(crate) arn: String,
    /// Shown in AWS' logs.
    pub(crate) session_name: String,
    /// What the role's owner may ask for.
    pub(crate) external_id: Option<String>,
    /// Where the service is that gives roles; `None`: Amazon's of the region.
    pub(crate) sts_endpoint: Option<String>,
}

impl S3Options {
    /// From keys that have been checked.
    pub(crate) fn from_config(config: &Config) -> Self {
        let text = |key: &str| config.string(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let customer_key = config.password(SSE_CUSTOMER_KEY).filter(|key| !key.reveal().is_empty()).cloned();
        let kind = customer_key.as_ref().map(|_| "sse-c".to_owned()).or_else(|| text(SSE_TYPE));
        let mut tags = TagSet::default();
        for (name, value) in config.list(OBJECT_TAGS).iter().filter_map(|tag| split_tag(tag)) {
            tags.push(name, value);
        }
        Self {
            encryption: kind.map(|kind| S3Encryption { kind, kms_key_id: text(SSE_KMS_KEY_ID), customer_key }),
            storage_class: text(STORAGE_CLASS),
            acl: text(ACL),
            tags,
            skip_signature: config.boolean(SKIP_SIGNATURE),
            profile: text(PROFILE),
            sts_endpoint: text(STS_ENDPOINT),
            role: text(ROLE_ARN).map(|arn| S3Role {
                arn,
                session_name: text(ROLE_SESSION_NAME).unwrap_or_else(|| DEFAULT_SESSION_NAME.to_owned()),
                external_id: text(ROLE_EXTERNAL_ID),
                sts_endpoint: text(STS_ENDPOINT),
            }),
        }
    }
}

/// What is wrong with keys that depend on each other.
pub(crate) fn s3_option_issues(config: &Config) -> Vec<ConfigIssue> {
    let text = |key: &str| config.string(key).unwrap_or_default();
    let mut issues = Vec::new();
    if !text(SSE_KMS_KEY_ID).is_empty() && !text(SSE_TYPE).starts_with("aws:kms") {
        let message = format!("`{SSE_TYPE}` must be aws:kms where `{SSE_KMS_KEY_ID}` is given");
        issues.push(ConfigIssue::new(SSE_TYPE, message));
    }
    let has_customer_key = config.password(SSE_CUSTOMER_KEY).is_some_and(|key| !key.reveal().is_empty());
    if has_customer_key && text(SSE_TYPE).starts_with("aws:kms") {
        let message = format!("`{SSE_CUSTOMER_KEY}` and `{SSE_TYPE}` aws:kms exclude each other");
        issues.push(ConfigIssue::new(SSE_CUSTOMER_KEY, message));
    }
    if text(ROLE_ARN).is_empty() {
        for key in [ROLE_SESSION_NAME, ROLE_EXTERNAL_ID].into_iter().filter(|key| !text(key).is_empty()) {
            issues.push(ConfigIssue::new(ROLE_ARN, format!("`{ROLE_ARN}` is needed together with `{key}`")));
        }
    }
    issues
}

/// The keys, in the order in which they are shown.
pub(crate) fn s3_option_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, List, Password, String};
    use Importance::{Low, Medium};
    vec![
        ConfigKey::optional(
            SSE_TYPE,
            String,
            Low,
            "How S3 encrypts new objects: `AES256`, `aws:kms` or `aws:kms:dsse`. Without it, as the bucket says.",
        )
        .validated(Validator::one_of(["", "AES256", "aws:kms", "aws:kms:dsse"])),
        ConfigKey::optional(
            SSE_KMS_KEY_ID,
            String,
            Low,
            "The key of KMS that `aws:kms` encrypts with. Without it, the account's own key for S3.",
        ),
        ConfigKey::optional(
            SSE_CUSTOMER_KEY,
            Password,
            Low,
            "A key of 256 bits, in base64, that S3 encrypts new objects with and does not keep. Readers need it too.",
        )
        .validated(Validator::custom(check_customer_key)),
        ConfigKey::optional(
            STORAGE_CLASS,
            String,
            Low,
            "Storage class of new objects, such as `STANDARD_IA` or `INTELLIGENT_TIERING`. Without it, as the bucket says.",
        ),
        ConfigKey::optional(
            ACL,
            String,
            Low,
            "Canned ACL of new objects, such as `bucket-owner-full-control`. It takes the right s3:PutObjectAcl, and a bucket that \
             lets objects have ACLs.",
        )
        .validated(Validator::one_of(CANNED_ACLS)),
        ConfigKey::optional(
            OBJECT_TAGS,
            List,
            Low,
            "Tags of new objects, as `name:value,name:value`; at most 10. It takes the right s3:PutObjectTagging.",
        )
        .validated(Validator::custom(check_tags)),
        ConfigKey::with_default(
            SKIP_SIGNATURE,
            Boolean,
            "false",
            Low,
            "Whether requests to S3 go without credentials and signature, for buckets that let everybody write.",
        ),
        ConfigKey::optional(
            PROFILE,
            String,
            Low,
            "Profile in `~/.aws/credentials` and `~/.aws/config` (or where AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE say) \
             whose keys, region and role are used. Without it, the one that AWS_PROFILE names, or `default`, if there are \
             no other keys.",
        ),
        ConfigKey::optional(
            ROLE_ARN,
            String,
            Medium,
            "Role of AWS that is assumed for S3, such as `arn:aws:iam::123456789012:role/writer`. It is asked for with the \
             credentials that would be used without it, and again before its session ends.",
        ),
        ConfigKey::optional(
            ROLE_SESSION_NAME,
            String,
            Low,
            "Name of the session of the assumed role, which AWS' logs show. Without it, `volley`.",
        ),
        ConfigKey::optional(
            ROLE_EXTERNAL_ID,
            String,
            Low,
            "External id, if the owner of the assumed role asks for one.",
        ),
        ConfigKey::optional(
            STS_ENDPOINT,
            String,
            Low,
            "URL of the security token service that is asked for the role. Without it, Amazon's of the region.",
        ),
    ]
}

type Checked = Result<(), String>;

fn check_customer_key(value: &ConfigValue) -> Checked {
    let ConfigValue::Password(key) = value else { return Ok(()) };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    match key.reveal().strip_suffix('=') {
        None if key.reveal().is_empty() => Ok(()),
        // 32 bytes are 43 digits and a sign that fills up
        Some(digits) if digits.len() == 43 && digits.bytes().all(is_base64) => Ok(()),
        _ => Err("a key of 256 bits in base64 is needed: 44 characters".to_owned()),
    }
}

fn check_tags(value: &ConfigValue) -> Checked {
    let ConfigValue::List(tags) = value else { return Ok(()) };
    if tags.len() > MAX_TAGS {
        return Err(format!("an object has at most {MAX_TAGS} tags"));
    }
    match tags.iter().find(|tag| split_tag(tag).is_none()) {
        Some(tag) => Err(format!("`{tag}` is not of the form name:value")),
        None => Ok(()),
    }
}

fn split_tag(tag: &str) -> Option<(&str, &str)> {
    tag.split_once(':').filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use volley_api::ConfigDef;
    use volley_api::testing::config_map;

    use super::*;

    fn def() -> ConfigDef {
        s3_option_keys().into_iter().fold(ConfigDef::new(), ConfigDef::key)
    }

    fn issues(entries: &[(&str, &str)]) -> Vec<String> {
        let (config, issues) = def().validate(&config_map(entries));
        issues.into_iter().chain(s3_option_issues(&config)).map(|issue| issue.key).collect()
    }

    #[test]
    fn what_cannot_be_meant_is_named_by_its_key() {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let cases: &[(&[(&str, &str)], &[&str])] = &[
            (&[], &[]),
            (&[(SSE_TYPE, "")], &[]),
            (&[(SSE_TYPE, "aes")], &[SSE_TYPE]),
            (&[(SSE_KMS_KEY_ID, "k")], &[SSE_TYPE]),
            (&[(SSE_TYPE, "aws:kms"), (SSE_KMS_KEY_ID, "k")], &[]),
            (&[(SSE_CUSTOMER_KEY, key)], &[]),
            (&[(SSE_CUSTOMER_KEY, "short")], &[SSE_CUSTOMER_KEY]),
            (&[(SSE_CUSTOMER_KEY, key), (SSE_TYPE, "aws:kms")], &[SSE_CUSTOMER_KEY]),
            (&[(OBJECT_TAGS, "a:b,c:d:e,f:")], &[]),
            (&[(OBJECT_TAGS, "a")], &[OBJECT_TAGS]),
            (&[(OBJECT_TAGS, ":b")], &[OBJECT_TAGS]),
            (&[(ROLE_EXTERNAL_ID, "7")], &[ROLE_ARN]),
        ];
        for (entries, expected) in cases {
            assert_eq!(&issues(entries), expected, "{entries:?}");
        }
    }

    #[test]
    fn a_customer_key_does_not_show_even_when_it_is_wrong() {
        let (config, issues) = def().validate(&config_map(&[(SSE_CUSTOMER_KEY, "hunter2")]));
        let options = S3Options::from_config(&config);
        assert!(!format!("{options:?} {issues:?}").contains("hunter2") && issues.len() == 1);
    }
}
