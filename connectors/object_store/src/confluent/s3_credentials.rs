//! Where credentials for S3 come from, by the names of Java's classes.

use super::translation::Translation;

/// What a class stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    /// The keys of the configuration; without them, the environment, a web identity, a profile, the container or the machine.
    Usual,
    /// None.
    Anonymous,
    /// A role, asked for with the usual ones.
    Role,
}

/// How the names of the classes begin that are known.
const PACKAGES: [&str; 5] = [
    "com.amazonaws.auth.",
    "software.amazon.awssdk.auth.credentials.",
    "software.amazon.awssdk.services.sts.auth.",
    "io.confluent.connect.s3.auth.",
    "io.confluent.connect.storage.s3.auth.",
];

const REFUSED: &str = "is not there: give DefaultCredentialsProvider (the keys, the environment, a web identity, a \
    profile, the container or the machine, whichever there is), AnonymousCredentialsProvider, or AwsAssumeRoleCredentialsProvider with a role";

fn parse(class: &str) -> Option<Provider> {
    let known = PACKAGES.iter().find_map(|package| class.strip_prefix(package));
    match known.unwrap_or(class) {
        "DefaultAWSCredentialsProviderChain"
        | "DefaultCredentialsProvider"
        | "EnvironmentVariableCredentialsProvider"
        | "SystemPropertyCredentialsProvider"
        | "InstanceProfileCredentialsProvider"
        | "ProfileCredentialsProvider"
        | "profile.ProfileCredentialsProvider"
        | "ContainerCredentialsProvider"
        | "EC2ContainerCredentialsProviderWrapper"
        | "WebIdentityTokenCredentialsProvider"
        | "WebIdentityTokenFileCredentialsProvider"
        | "BasicCredentialsProvider"
        | "AWSStaticCredentialsProvider"
        | "StaticCredentialsProvider" => Some(Provider::Usual),
        "AnonymousAWSCredentials" | "AnonymousCredentialsProvider" => Some(Provider::Anonymous),
        "AwsAssumeRoleCredentialsProvider"
        | "STSAssumeRoleSessionCredentialsProvider"
        | "StsAssumeRoleCredentialsProvider" => Some(Provider::Role),
        _ => None,
    }
}

/// The keys of a role.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoleKeys {
    /// Its name.
    pub(crate) arn: &'static str,
    /// The session's name.
    pub(crate) session_name: &'static str,
    /// What its owner may ask for.
    pub(crate) external_id: &'static str,
}

/// Translates the class that `key` names.
pub(crate) fn translate_provider(translation: &mut Translation<'_>, key: &'static str, role: RoleKeys) {
    let class = translation.given(key).unwrap_or("DefaultCredentialsProvider");
    match parse(class) {
        Some(Provider::Usual) => {}
        Some(Provider::Anonymous) => translation.set("store.s3.skip.signature", "true"),
        Some(Provider::Role) => {
            if translation.given(role.arn).is_none() {
                translation.refuse(role.arn, format!("`{}` is needed where `{key}` is {class}", role.arn));
            }
            translate_role(translation, role);
        }
        None => translation.refuse(key, format!("`{class}` {REFUSED}")),
    }
}

/// Translates the keys of a role, which may stand outside of the definition.
pub(crate) fn translate_role(translation: &mut Translation<'_>, role: RoleKeys) {
    let keys = [
        (role.arn, "store.s3.role.arn"),
        (role.session_name, "store.s3.role.session.name"),
        (role.external_id, "store.s3.role.external.id"),
    ];
    for (key, target) in keys {
        if let Some(value) = translation.given(key) {
            translation.set(target, value);
        }
    }
}
