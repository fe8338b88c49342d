//! Keys of the S3 sink that have newer ones, which count more.

use volley_api::{ConfigKey, ConfigType, Importance, Validator};

pub(super) const OLD_ACCESS_KEY_ID: &str = "aws_access_key_id";
pub(super) const OLD_SECRET_ACCESS_KEY: &str = "aws_secret_access_key";
pub(super) const OLD_BUCKET: &str = "aws_s3_bucket";
pub(super) const OLD_ENDPOINT: &str = "aws_s3_endpoint";
pub(super) const OLD_REGION: &str = "aws_s3_region";
pub(super) const OLD_PREFIX: &str = "aws_s3_prefix";
pub(super) const OLD_FIELDS: &str = "output_fields";
pub(super) const OLD_COMPRESSION: &str = "output_compression";
pub(super) const OLD_TIMESTAMP_TIMEZONE: &str = "timestamp.timezone";
pub(super) const OLD_TIMESTAMP_SOURCE: &str = "timestamp.source";

/// The keys, which are shown where they are given.
pub(super) fn old_s3_keys() -> Vec<ConfigKey> {
    use ConfigType::{List, Password, String};
    let key = |name, kind, newer: &str| {
        ConfigKey::optional(name, kind, Importance::Low, &format!("Deprecated: the older name of `{newer}`."))
    };
    let of_prefix = "Deprecated: for the times in `aws.s3.prefix`.";
    let keys = vec![
        key(OLD_ACCESS_KEY_ID, Password, "aws.access.key.id"),
        key(OLD_SECRET_ACCESS_KEY, Password, "aws.secret.access.key"),
        key(OLD_BUCKET, String, "aws.s3.bucket.name"),
        key(OLD_ENDPOINT, String, "aws.s3.endpoint"),
        key(OLD_REGION, String, "aws.s3.region"),
        key(OLD_PREFIX, String, "aws.s3.prefix"),
        key(OLD_FIELDS, List, "format.output.fields"),
        key(OLD_COMPRESSION, String, "file.compression.type")
            .validated(Validator::one_of_ignore_case(["none", "gzip", "snappy", "zstd"])),
        ConfigKey::with_default(OLD_TIMESTAMP_TIMEZONE, String, "Z", Importance::Low, of_prefix),
        ConfigKey::with_default(OLD_TIMESTAMP_SOURCE, String, "WALLCLOCK", Importance::Low, of_prefix)
            .validated(Validator::one_of_ignore_case(["WALLCLOCK", "EVENT"])),
    ];
    keys.into_iter().map(ConfigKey::unlisted).collect()
}
