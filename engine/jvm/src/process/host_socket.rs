//! The socket that a host connects to, in a directory that only this user can enter.

use std::fs::{DirBuilder, remove_dir_all};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use volley_api::{Error, Result};

/// A listening socket; its directory goes with it.
#[derive(Debug)]
pub(super) struct HostSocket {
    directory: PathBuf,
    path: PathBuf,
    listener: UnixListener,
    token: String,
}

impl HostSocket {
    /// One in a new directory.
    ///
    /// # Errors
    /// If the directory cannot be made, or its path is too long for a socket.
    pub(super) fn new() -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("volley-java-{}", Uuid::new_v4().simple()));
        let failed = |what: &str, error| {
            let advice = "set TMPDIR to a short path that may be written to";
            Error::fatal(format!("could not {what} `{}` for a Java process: {advice}", directory.display()))
                .with_source(error)
        };
        DirBuilder::new().mode(0o700).create(&directory).map_err(|error| failed("make the directory", error))?;
        let path = directory.join("host");
        let listener = UnixListener::bind(&path).map_err(|error| {
            let _ = remove_dir_all(&directory);
            failed("listen in the directory", error)
        })?;
        Ok(Self { path, listener, token: Uuid::new_v4().simple().to_string(), directory })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Waits for the next connection.
    pub(super) fn accept(&self) -> std::io::Result<UnixStream> {
        self.listener.accept().map(|(stream, _)| stream)
    }

    /// Ends a wait for a connection, by making one; nobody can make another.
    pub(super) fn close(&self) {
        let _ = UnixStream::connect(&self.path);
        let _ = remove_dir_all(&self.directory);
    }
}

impl Drop for HostSocket {
    fn drop(&mut self) {
        let _ = remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_can_reach_the_socket_and_it_goes_with_its_owner() {
        let socket = HostSocket::new().unwrap();
        let directory = socket.directory.clone();
        assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(socket.token().len(), 32);
        drop(socket);
        assert!(!directory.exists());
    }
}
