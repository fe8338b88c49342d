//! The certificate that a database of the test bed gives itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::server_process::is_root;

/// A certificate for 127.0.0.1 that its own key has signed, `server.crt`; the key is `owner`'s, in the server's data.
pub(super) fn make_certificate(directory: &Path, owner: &str) {
    let (certificate, key) = (directory.join("server.crt"), directory.join("data/server.key"));
    let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=volley"];
    let mut openssl = Command::new("openssl");
    openssl.args(request).args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    let outcome = openssl.arg("-out").arg(&certificate).arg("-keyout").arg(&key).output().unwrap();
    assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stderr));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    if is_root() {
        assert!(Command::new("chown").arg(format!("{owner}:")).arg(&key).status().unwrap().success());
    }
}
