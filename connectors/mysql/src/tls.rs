//! TLS, as the Java drivers of MySQL (`sslMode`, before that `useSSL`) and MariaDB (`sslMode`) say it.

use mysql_async::SslOpts;
use volley_api::{Error, Result};
use volley_jdbc::Parameters;

use crate::parameters::boolean;

const KEY_STORES: [&str; 6] = [
    "clientCertificateKeyStoreUrl",
    "keyStore",
    "trustCertificateKeyStoreUrl",
    "trustStore",
    "clientCertificateKeyStorePassword",
    "trustCertificateKeyStorePassword",
];

/// Whether connections are encrypted, and whom they trust.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    mode: Mode,
    /// A file of certificates in PEM.
    certificates: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    /// Where the server offers it.
    Preferred,
    /// Whoever the server is.
    Required,
    VerifyCertificate,
    /// Its name, too.
    VerifyIdentity,
}

impl Tls {
    /// The parameters that say it.
    pub(crate) const PARAMETERS: [&str; 14] = [
        "sslMode",
        "useSSL",
        "useSsl",
        "requireSSL",
        "verifyServerCertificate",
        "trustServerCertificate",
        "serverSslCert",
        "enabledSslProtocolSuites",
        "clientCertificateKeyStoreUrl",
        "keyStore",
        "trustCertificateKeyStoreUrl",
        "trustStore",
        "clientCertificateKeyStorePassword",
        "trustCertificateKeyStorePassword",
    ];

    /// What the parameters say.
    ///
    /// # Errors
    /// `Config`, naming the parameter.
    pub(crate) fn from_parameters(parameters: &Parameters, is_mariadb: bool) -> Result<Self> {
        if let Some(name) = KEY_STORES.iter().find(|name| parameters.get(name).is_some_and(|value| !value.is_empty())) {
            return Err(Error::config(format!(
                "parameter `{name}` of `connection.url`: key stores of Java are not possible here; name a file of \
                certificates in PEM with `serverSslCert`, and log in with a password"
            )));
        }
        let certificates = parameters.get("serverSslCert").filter(|file| !file.is_empty());
        let certificates = certificates.map(|file| file.strip_prefix("file:").unwrap_or(file).to_owned());
        if let Some(file) = certificates.as_ref().filter(|file| !std::path::Path::new(file).is_file()) {
            return Err(Error::config(format!(
                "parameter `serverSslCert` of `connection.url`: there is no file {file}"
            )));
        }
        Ok(Self { mode: mode(parameters, is_mariadb)?, certificates })
    }

    /// What is tried, in this order; `None` is a connection that is not encrypted.
    pub(crate) fn attempts(&self) -> Vec<Option<SslOpts>> {
        let trusting_anyone =
            || SslOpts::default().with_danger_accept_invalid_certs(true).with_danger_skip_domain_validation(true);
        let trusting = || match &self.certificates {
            None => SslOpts::default(),
            Some(file) => SslOpts::default()
                .with_root_certs(vec![std::path::PathBuf::from(file).into()])
                .with_disable_built_in_roots(true),
        };
        match self.mode {
            Mode::Off => vec![None],
            Mode::Preferred => vec![Some(trusting_anyone()), None],
            Mode::Required => vec![Some(trusting_anyone())],
            Mode::VerifyCertificate => vec![Some(trusting().with_danger_skip_domain_validation(true))],
            Mode::VerifyIdentity => vec![Some(trusting())],
        }
    }
}

fn mode(parameters: &Parameters, is_mariadb: bool) -> Result<Mode> {
    if let Some(value) = parameters.get("sslMode") {
        return match value.to_ascii_lowercase().replace('_', "-").as_str() {
            "disabled" | "disable" => Ok(Mode::Off),
            "preferred" => Ok(Mode::Preferred),
            "required" | "trust" => Ok(Mode::Required),
            "verify-ca" => Ok(Mode::VerifyCertificate),
            "verify-identity" | "verify-full" => Ok(Mode::VerifyIdentity),
            _ => Err(Error::config(format!(
                "parameter `sslMode` of `connection.url` is `{value}`: it must be {}",
                if is_mariadb {
                    "disable, trust, verify-ca or verify-full"
                } else {
                    "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"
                }
            ))),
        };
    }
    let is_set = |name: &str| parameters.get(name).map(|value| boolean(name, value)).transpose();
    let is_used = is_set("useSSL")?.or(is_set("useSsl")?);
    let is_verified = is_set("verifyServerCertificate")?;
    let trusts_anyone = is_set("trustServerCertificate")?.unwrap_or(false);
    Ok(match (is_used, is_verified, is_set("requireSSL")?.unwrap_or(false)) {
        (Some(false), ..) => Mode::Off,
        (Some(true), ..) if is_mariadb && !trusts_anyone => Mode::VerifyIdentity,
        (Some(true), ..) if is_mariadb => Mode::Required,
        (None, ..) if is_mariadb => Mode::Off,
        (_, Some(true), _) => Mode::VerifyCertificate,
        (_, _, true) => Mode::Required,
        _ => Mode::Preferred,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(parameters: &[(&str, &str)], is_mariadb: bool) -> Mode {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        mode(&Parameters(parameters.collect()), is_mariadb).unwrap()
    }

    #[test]
    fn connections_are_encrypted_as_the_java_drivers_would_encrypt_them() {
        for (parameters, mysql, mariadb) in [
            (&[][..], Mode::Preferred, Mode::Off),
            (&[("useSSL", "false")], Mode::Off, Mode::Off),
            (&[("useSSL", "true")], Mode::Preferred, Mode::VerifyIdentity),
            (&[("useSSL", "true"), ("requireSSL", "true")], Mode::Required, Mode::VerifyIdentity),
            (&[("useSSL", "true"), ("verifyServerCertificate", "true")], Mode::VerifyCertificate, Mode::VerifyIdentity),
            (&[("useSsl", "true"), ("trustServerCertificate", "true")], Mode::Preferred, Mode::Required),
            (&[("sslMode", "VERIFY_IDENTITY"), ("useSSL", "false")], Mode::VerifyIdentity, Mode::VerifyIdentity),
            (&[("sslMode", "verify-ca")], Mode::VerifyCertificate, Mode::VerifyCertificate),
            (&[("sslMode", "trust")], Mode::Required, Mode::Required),
        ] {
            assert_eq!((found(parameters, false), found(parameters, true)), (mysql, mariadb), "{parameters:?}");
        }
    }
}
