//! The command line of a JVM that runs a host.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use volley_api::{Error, Result};

use super::Launch;

/// The host's class.
const MAIN_CLASS: &str = "org.volley.host.Main";
/// The system property that names the worker's file to the host.
const WORKER_FILE: &str = "-Dvolley.worker.file=";
/// A heap above this has a collector that works beside the program.
const SERIAL_LIMIT: u64 = 2 << 30;
/// Small, and quick to start. A serial collector is safe, as no member of a group waits for this JVM; a young generation of
/// a fixed size keeps it from collecting all the time.
const OPTIONS: [&str; 7] = [
    "-XX:+ExitOnOutOfMemoryError",
    "-Xss512k",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Xms64m",
];
const YOUNG_GENERATION: &str = "-Xmn48m";
/// The smallest heap that has room for [`YOUNG_GENERATION`] and something old.
const SMALLEST_HEAP: u64 = 64 << 20;

/// Starts a host on a JVM.
#[derive(Clone, Debug)]
pub(crate) struct JavaCommand {
    /// Where Java is; `None`: `JAVA_HOME`, else the `java` of `PATH`.
    pub(crate) home: Option<PathBuf>,
    /// Jars of the host and of Kafka.
    pub(crate) host_dir: PathBuf,
    /// `-Xmx`.
    pub(crate) heap: String,
    /// The worker's properties file.
    pub(crate) worker_file: Option<PathBuf>,
    /// Further options, before which the environment's `KAFKA_OPTS` and `KAFKA_LOG4J_OPTS` stand.
    pub(crate) options: Vec<String>,
}

impl JavaCommand {
    fn java(&self) -> Result<OsString> {
        let home = match &self.home {
            Some(home) => Some((home.clone(), "`volley.java.home`")),
            None => from_environment("JAVA_HOME").map(|home| (PathBuf::from(home), "JAVA_HOME")),
        };
        let Some((home, said_by)) = home else { return Ok("java".into()) };
        let java = home.join("bin/java");
        match java.is_file() {
            true => Ok(java.into()),
            false => Err(Error::config(format!(
                "there is no `{}`: set {said_by} to the directory of a Java 17 or newer",
                java.display()
            ))),
        }
    }

    fn class_path(&self) -> Result<OsString> {
        let mut jars = jars_of(&self.host_dir)?;
        jars.sort();
        let mut path = OsString::new();
        for jar in jars.into_iter().map(OsString::from).chain(from_environment("CLASSPATH")) {
            if !path.is_empty() {
                path.push(":");
            }
            path.push(jar);
        }
        Ok(path)
    }
}

impl Launch for JavaCommand {
    fn command(&self, name: &str, _: &Path, _: &str) -> Result<Command> {
        let heap = heap_bytes(&self.heap)?;
        let mut command = Command::new(self.java()?);
        command.args(OPTIONS).arg(format!("-Xmx{}", self.heap));
        if heap > SERIAL_LIMIT {
            command.arg("-XX:+UseG1GC");
        } else {
            command.args(["-XX:+UseSerialGC", YOUNG_GENERATION]);
        }
        for options in [from_environment("KAFKA_OPTS"), from_environment("KAFKA_LOG4J_OPTS")].into_iter().flatten() {
            command.args(options.to_string_lossy().split_whitespace());
        }
        command.args(&self.options);
        if let Some(file) = &self.worker_file {
            let mut property = OsString::from(WORKER_FILE);
            property.push(file);
            command.arg(property);
        }
        command.arg("-cp").arg(self.class_path()?).arg(MAIN_CLASS).arg(name);
        command.env("MALLOC_ARENA_MAX", "2");
        Ok(command)
    }
}

fn from_environment(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}

fn jars_of(directory: &Path) -> Result<Vec<PathBuf>> {
    let advice = "set `volley.java.host.dir` to the directory of Volley's Java host";
    let failed = |error| {
        Error::config(format!("could not read the directory `{}`: {advice}", directory.display())).with_source(error)
    };
    let mut jars = Vec::new();
    for entry in directory.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "jar") {
            jars.push(path);
        }
    }
    match jars.is_empty() {
        true => Err(Error::config(format!("there is no jar in `{}`: {advice}", directory.display()))),
        false => Ok(jars),
    }
}

/// Bytes of a size as `-Xmx` takes it.
///
/// # Errors
/// If it is none, or too small for a host.
pub(crate) fn heap_bytes(heap: &str) -> Result<u64> {
    let digits = heap.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &heap[digits.len()..] {
        "" => Some(1),
        "k" | "K" => Some(1 << 10),
        "m" | "M" => Some(1 << 20),
        "g" | "G" => Some(1 << 30),
        "t" | "T" => Some(1 << 40),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    match bytes {
        Some(bytes) if bytes >= SMALLEST_HEAP => Ok(bytes),
        _ => Err(Error::config(format!(
            "`volley.java.heap` is `{heap}`: give a size of `64m` or more as Java's -Xmx takes it, such as `512m` or `2g`"
        ))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn command(host_dir: &Path, heap: &str) -> Result<Vec<String>> {
        let java = JavaCommand {
            home: None,
            host_dir: host_dir.to_owned(),
            heap: heap.to_owned(),
            worker_file: Some(PathBuf::from("/etc/worker.properties")),
            options: vec!["-Da=b".to_owned(), "-Dc=d".to_owned()],
        };
        let command = java.command("connector `c`", Path::new("/s"), "t")?;
        Ok(command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn the_class_path_is_all_jars_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.jar", "a.jar", "NOTICE"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let arguments = command(directory.path(), "512m").unwrap();
        let class_path = &arguments[arguments.iter().position(|argument| argument == "-cp").unwrap() + 1];
        let (a, b) = (directory.path().join("a.jar"), directory.path().join("b.jar"));
        assert!(class_path.starts_with(&format!("{}:{}", a.display(), b.display())), "{class_path}");
        assert!(!class_path.contains("NOTICE"));
        for option in ["-Xmx512m", "-XX:+UseSerialGC", "-Da=b", "-Dc=d", "-Dvolley.worker.file=/etc/worker.properties"]
        {
            assert!(arguments.iter().any(|argument| argument == option), "{option} in {arguments:?}");
        }
        let large = command(directory.path(), "3g").unwrap();
        assert!(large.iter().any(|argument| argument == "-XX:+UseG1GC"));
    }

    #[test]
    fn what_cannot_be_started_is_said_with_the_key_to_set() {
        let directory = tempfile::tempdir().unwrap();
        let error = command(directory.path(), "512m").unwrap_err().to_string();
        assert!(error.contains("no jar") && error.contains("volley.java.host.dir"), "{error}");
        for heap in ["", "much", "512", "-1m", "512mb", "99999999999t"] {
            let error = command(directory.path(), heap).unwrap_err().to_string();
            assert!(error.contains("volley.java.heap") && error.contains(heap), "{error}");
        }
        let java = JavaCommand {
            home: Some(directory.path().to_owned()),
            host_dir: directory.path().to_owned(),
            heap: "512m".to_owned(),
            worker_file: None,
            options: Vec::new(),
        };
        let error = java.command("connector `c`", Path::new("/s"), "t").err().unwrap().to_string();
        assert!(error.contains("bin/java") && error.contains("volley.java.home"), "{error}");
    }
}
