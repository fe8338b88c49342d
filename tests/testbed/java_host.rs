//! The host of Java plug-ins, and plug-ins for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::server_process::installed;

/// The host's jars, where `make java-host` puts them.
pub(crate) fn host_directory() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_volley")).ancestors().nth(2).unwrap();
    let directory = target.join("lib/volley-java");
    assert!(directory.is_dir(), "{} is missing: run `make java-host`", directory.display());
    directory
}

/// Properties of a worker that runs these plug-ins of the test bed in Java, also those that it has itself.
pub(crate) fn java_properties(plugins: &[&str]) -> Vec<(&'static str, String)> {
    let installed = installed("java-plugins");
    let locations: Vec<_> = plugins.iter().map(|plugin| installed.join(plugin).display().to_string()).collect();
    vec![
        ("plugin.path", locations.join(",")),
        ("volley.java", "always".to_owned()),
        ("volley.java.host.dir", host_directory().display().to_string()),
    ]
}

/// The hosts of a worker, by process id.
pub(crate) fn hosts_of(worker: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{worker}/task")).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let mut hosts: Vec<u32> = children
        .flat_map(|text| text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>())
        .filter(|id| fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim() == "java"))
        .collect();
    hosts.sort_unstable();
    hosts
}

/// The host of a connector.
pub(crate) fn host_of(worker: u32, connector: &str) -> u32 {
    let name = format!("connector `{connector}`");
    let is_its =
        |host: &u32| fs::read_to_string(format!("/proc/{host}/cmdline")).is_ok_and(|text| text.contains(&name));
    hosts_of(worker).into_iter().find(is_its).unwrap_or_else(|| panic!("{name} has no host"))
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(status.success(), "{process} is gone");
}

/// Compiles a plug-in of `tests/java` into a directory of `path`, a plug-in path. `services`: its classes, by the interface that
/// they implement.
pub(crate) fn compile_plugin(path: &Path, name: &str, services: &[(&str, &[&str])]) {
    compile(&path.join(name.to_lowercase()), name, services);
}

/// Compiles a sink of `tests/java` into a directory of its own.
pub(crate) fn compiled_sink(class: &str, directory: &Path) {
    // without a service file only a scan of all classes finds it
    compile(directory, class, &[("org.apache.kafka.connect.sink.SinkConnector", &[class])]);
}

fn compile(plugin: &Path, name: &str, services: &[(&str, &[&str])]) {
    let services_directory = plugin.join("META-INF/services");
    fs::create_dir_all(&services_directory).unwrap();
    let jars = fs::read_dir(host_directory()).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    let class_path: Vec<String> = jars.filter(|path| path.ends_with(".jar")).collect();
    let output = Command::new("java")
        .args(["--module", "jdk.compiler/com.sun.tools.javac.Main", "--release", "17", "-cp", &class_path.join(":")])
        .arg("-d")
        .arg(plugin)
        .arg(format!("{}/tests/java/{name}.java", env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (interface, classes) in services {
        fs::write(services_directory.join(interface), classes.join("\n")).unwrap();
    }
}
