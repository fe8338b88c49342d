//! A small file system, which is full soon.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Mounts it and waits for its own standard input to close: that happens when the disk is dropped, and also when the test
/// process is gone, even by SIGKILL. A process group of its own keeps signals for the tests away from it.
const SUPERVISOR: &str = r#"
mount -t tmpfs -o size="$2" volley "$1" && echo mounted || exit 1
read -r nothing
umount -l "$1"
rmdir "$1"
"#;

/// A file system in memory; gone when dropped.
pub(crate) struct SmallDisk {
    supervisor: Child,
    path: PathBuf,
}

impl SmallDisk {
    /// One of `kilobytes`; why not, where we may not mount one.
    pub(crate) fn mount(kilobytes: u32) -> Result<Self, String> {
        let path = tempfile::tempdir().unwrap().keep();
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(&path)
            .arg(size(kilobytes))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut answer = String::new();
        BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut answer).unwrap();
        if answer.trim() == "mounted" {
            return Ok(Self { supervisor, path });
        }
        let output = supervisor.wait_with_output().unwrap();
        fs::remove_dir(path).unwrap();
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes room.
    pub(crate) fn resize(&self, kilobytes: u32) {
        let option = format!("remount,size={}", size(kilobytes));
        let output = Command::new("mount").args(["-o", &option]).arg(&self.path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

fn size(kilobytes: u32) -> String {
    format!("{kilobytes}k")
}
