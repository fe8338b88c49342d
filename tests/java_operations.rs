//! What a platform team does with Java's connectors: sees them, has them say more, shares their processes, finds out what is
//! wrong with their jars.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, host_of, hosts_of, installed, java_properties, send, signal, wait_until};
use crate::worker_group::{SOON, WorkerGroup};
use crate::worker_process::Volley;

const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const MONGO: &str = "com.mongodb.kafka.connect.MongoSinkConnector";

/// A worker of a group of its own, with these plug-ins.
fn worker(kafka: &Kafka, stem: &str, plugins: &[&str], more: &[(&'static str, &str)]) -> WorkerGroup {
    let mut properties = java_properties(plugins);
    properties.retain(|(key, _)| !more.iter().any(|(other, _)| other == key));
    let mut all: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    all.extend_from_slice(more);
    let mut group = WorkerGroup::with(kafka, stem, &all);
    group.add(&[Vendor::Volley]);
    group
}

/// A file with lines, and the configuration of a source that reads it.
struct Lines {
    directory: tempfile::TempDir,
    topic: String,
}

impl Lines {
    fn new(kafka: &Kafka, stem: &str) -> Self {
        let lines = Self { directory: tempfile::tempdir().unwrap(), topic: kafka.topic(stem, 1) };
        File::create(lines.path()).unwrap();
        lines
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("lines")
    }

    fn append(&self, line: &str) {
        let mut file = File::options().append(true).open(self.path()).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    fn source(&self, more: &[(&str, &str)]) -> Value {
        let mut config = json!({"connector.class": SOURCE, "tasks.max": "1", "file": self.path(), "topic": self.topic});
        for (key, value) in more {
            config[*key] = json!(value);
        }
        config
    }

    fn await_count(&self, kafka: &Kafka, count: usize) {
        wait_until(SOON, "all lines are in the topic", || (kafka.read_topic(&self.topic).len() >= count).then_some(()));
    }
}

#[test]
fn a_log_level_set_over_rest_reaches_the_hosts_that_run_and_those_that_start_later() {
    const LOGGER: &str = "/admin/loggers/org.apache.kafka.connect.file";
    let kafka = Kafka::shared();
    let group = worker(kafka, "java-levels", &["connect-file"], &[]);
    let (one, two) = (Lines::new(kafka, "levels-one"), Lines::new(kafka, "levels-two"));
    // what this task says of each line it says at TRACE
    let has_said = |lines: &Lines| {
        let said = format!("Read a line from {}", lines.path().display());
        group.worker(0).log().matches(said.as_str()).count()
    };
    group.put(0, "one", &one.source(&[]));
    group.await_state("one", "RUNNING", 1);
    one.append("before");
    one.await_count(kafka, 1);
    assert_eq!(has_said(&one), 0);

    let changed = group.ask(0, "PUT", LOGGER, Some(&json!({"level": "TRACE"})));
    assert_eq!(changed, json!(["org.apache.kafka.connect.file"]));
    assert_eq!(group.ask(0, "GET", LOGGER, None)["level"], "TRACE");
    wait_until(SOON, "the host that runs says more", || {
        one.append("more");
        (has_said(&one) > 0).then_some(())
    });
    group.put(0, "two", &two.source(&[]));
    group.await_state("two", "RUNNING", 1);
    two.append("the first line");
    two.await_count(kafka, 1);
    wait_until(SOON, "so does one that starts later, of its first line on", || (has_said(&two) == 1).then_some(()));

    group.worker(0).ask("PUT", &format!("{LOGGER}?scope=cluster"), Some(&json!({"level": "WARN"})));
    wait_until(SOON, "all workers know the next level", || {
        (group.ask(0, "GET", LOGGER, None)["level"] == "WARN").then_some(())
    });
    wait_until(SOON, "and their hosts do", || {
        let (before, sent) = (has_said(&two), kafka.read_topic(&two.topic).len());
        two.append("less");
        two.await_count(kafka, sent + 1);
        (has_said(&two) == before).then_some(())
    });
}

#[test]
fn a_connector_shows_its_process_and_what_its_plug_ins_measure_and_no_process_is_started_for_that() {
    let kafka = Kafka::shared();
    let group = worker(kafka, "java-figures", &["connect-file"], &[]);
    let address = group.worker(0).address();
    let scrape = || send(&address, "GET", "/metrics", &[], None).unwrap().text();
    assert!(!scrape().contains("volley_java"), "there is no process, and none is started");
    let lines = Lines::new(kafka, "java-figures");
    group.put(0, "one", &lines.source(&[]));
    group.await_state("one", "RUNNING", 1);
    let host = host_of(group.worker(0).pid(), "one");

    let progress = wait_until(SOON, "progress tells of the process", || {
        let progress = group.ask(0, "GET", "/volley/connectors/one/progress", None);
        progress["java"].get(0).is_some().then_some(progress)
    });
    let process = &progress["java"][0];
    assert_eq!((&process["process"], &process["pid"]), (&json!("connector:one"), &json!(host)), "{progress}");
    assert_eq!((&process["connectors"], &process["worker_id"]), (&json!(["one"]), &json!(address)));
    let figure = |name: &str| process[name].as_u64().unwrap_or_else(|| panic!("{name} in {process}"));
    let (told, real) = (figure("resident_bytes"), resident_bytes(host));
    assert!(told > real / 3 && told < real * 3, "{told} of {real}");
    assert!(figure("heap_used_bytes") > 0 && figure("heap_used_bytes") <= figure("heap_max_bytes"));
    assert!(figure("threads") > 5 && figure("cpu_ms") > 0);

    let labels = "{process=\"connector:one\",connector=\"one\"";
    let text = wait_until(SOON, "what the plug-ins measure is told", || {
        let text = scrape();
        text.contains("kafka_connect_task_error_metrics_total_record_failures").then_some(text)
    });
    for metric in ["resident_memory_bytes", "heap_used_bytes", "heap_max_bytes", "threads", "cpu_seconds_total"] {
        let start = format!("volley_java_{metric}{labels}}} ");
        assert!(text.lines().any(|line| line.starts_with(&start)), "{start} in {text}");
    }
    assert!(text.contains(&format!("volley_java_process_info{labels},pid=\"{host}\"}} 1")), "{text}");
    let bean = "kafka_connect_task_error_metrics_total_record_failures{process=\"connector:one\",";
    let of_bean: Vec<_> = text.lines().filter(|line| line.starts_with(bean)).collect();
    assert!(of_bean.len() == 1 && of_bean[0].contains("task=\"0\"") && of_bean[0].ends_with(" 0"), "{of_bean:?}");
}

#[test]
fn a_connector_says_for_itself_whether_it_runs_in_java() {
    let kafka = Kafka::shared();
    let group = worker(kafka, "java-choice", &["connect-file"], &[("volley.java", "auto")]);
    let pid = group.worker(0).pid();
    let (native, java) = (Lines::new(kafka, "choice-native"), Lines::new(kafka, "choice-java"));
    for (name, lines, more) in [("native", &native, &[][..]), ("java", &java, &[("volley.java", "always")][..])] {
        group.put(0, name, &lines.source(more));
        group.await_state(name, "RUNNING", 1);
        lines.append("a line");
        lines.await_count(kafka, 1);
    }
    let its_host = host_of(pid, "java");
    assert!(hosts_of(pid).contains(&its_host));
    let of = |name: &str| group.ask(0, "GET", &format!("/volley/connectors/{name}/progress"), None);
    assert_eq!(of("native").get("java"), None, "it has no process");
    // and back
    group.put(0, "java", &java.source(&[("volley.java", "never")]));
    wait_until(SOON, "its process is gone", || (!Path::new(&format!("/proc/{its_host}")).exists()).then_some(()));
    group.await_state("java", "RUNNING", 1);
    java.append("another");
    java.await_count(kafka, 2);
    let refused = |java: &str| {
        let config = native.source(&[("volley.java", java)]);
        group.worker(0).ask("PUT", "/connectors/native/config", Some(&config))
    };
    let (status, answer) = refused("sometimes");
    assert!(status == 400 && answer["message"].as_str().unwrap().contains("volley.java"), "{answer}");
}

#[test]
fn java_is_refused_to_a_connector_where_the_worker_has_none() {
    let kafka = Kafka::shared();
    let group = worker(kafka, "java-never", &["connect-file"], &[("volley.java", "never")]);
    let lines = Lines::new(kafka, "java-never");
    let config = lines.source(&[("volley.java", "always")]);
    let (status, answer) = group.worker(0).ask("PUT", "/connectors/c/config", Some(&config));
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(status == 400 && message.contains("runs no plug-ins in Java"), "{answer}");
    group.put(0, "c", &lines.source(&[("volley.java", "auto")]));
    group.await_state("c", "RUNNING", 1);
    assert_eq!(hosts_of(group.worker(0).pid()), Vec::<u32>::new());
}

#[test]
fn a_class_that_a_connector_excludes_by_itself_is_not_said_to_be_missing() {
    let volley = Volley::new();
    let properties = java_properties(&["connect-mirror"]);
    let mut all: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    all.push(("plugin.discovery", "service_load"));
    volley.worker("127.0.0.1:1", &all);
    let class = "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector";
    volley.file("c.properties", &[("name", "c"), ("connector.class", class), ("volley.java", "never")]);
    let ended = volley.run(SOON, &["validate", "--worker", "worker.properties", "c.properties"]);
    assert!(!ended.status.success());
    assert!(
        ended.log.contains("`volley.java` of the connector") && !ended.log.contains("there is no"),
        "{}",
        ended.log
    );
}

#[test]
fn connectors_of_a_group_share_a_process_whose_death_fails_them_all_and_which_ends_with_the_last() {
    let kafka = Kafka::shared();
    let group = worker(kafka, "java-group", &["connect-file", "connect-mirror"], &[("volley.java.heap", "128m")]);
    let pid = group.worker(0).pid();
    let shared = [("volley.java.process", "group:small"), ("volley.java.heap", "200m")];
    let lines = [Lines::new(kafka, "group-a"), Lines::new(kafka, "group-b")];
    group.put(0, "a", &lines[0].source(&shared[..1]));
    group.put(0, "b", &lines[1].source(&shared));
    // from another location of the plug-in path
    let mirror = json!({
        "connector.class": "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector", "tasks.max": "1",
        "source.cluster.alias": "here", "target.cluster.alias": "there", "heartbeats.topic.replication.factor": "1",
        "source.cluster.bootstrap.servers": kafka.bootstrap_servers(), "volley.java.process": "group:small",
        "target.cluster.bootstrap.servers": kafka.bootstrap_servers(), "emit.heartbeats.interval.seconds": "1",
        "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
    });
    group.put(0, "mirror", &mirror);
    let names = ["a", "b", "mirror"];
    names.iter().for_each(|name| drop(group.await_state(name, "RUNNING", 1)));
    let group_host = || {
        let hosts = hosts_of(pid).into_iter();
        let is_its = |host: &u32| command_line(*host).contains("group `small`");
        hosts.filter(is_its).collect::<Vec<u32>>()
    };
    let [host] = group_host()[..] else { panic!("one process: {:?}", group_host()) };
    for lines in &lines {
        lines.append("a line");
        lines.await_count(kafka, 1);
    }
    let process = wait_until(SOON, "the process knows its connectors", || {
        let progress = group.ask(0, "GET", "/volley/connectors/a/progress", None);
        (progress["java"][0]["connectors"] == json!(names)).then(|| progress["java"][0].clone())
    });
    assert_eq!((&process["process"], &process["pid"]), (&json!("group:small"), &json!(host)));

    signal(host, "KILL");
    for name in names {
        let trace = wait_until(SOON, "each has failed", || {
            let status = group.ask(0, "GET", &format!("/connectors/{name}/status"), None);
            let task = &status["tasks"][0];
            (task["state"] == "FAILED").then(|| task["trace"].as_str().unwrap_or_default().to_owned())
        });
        assert!(trace.contains("group `small`") && trace.contains("SIGKILL"), "{name}: {trace}");
    }
    for name in names {
        let target = format!("/connectors/{name}/restart?includeTasks=true&onlyFailed=true");
        group.ask(0, "POST", &target, None);
        group.await_state(name, "RUNNING", 1);
    }
    let [again] = group_host()[..] else { panic!("one process: {:?}", group_host()) };
    let heap = command_line(again);
    assert!(heap.contains("-Xmx200m"), "the largest heap of the group counts, whoever starts it: {heap}");
    for (number, name) in names.into_iter().enumerate() {
        assert_eq!(group_host(), [again], "it lives until its last connector has gone");
        group.worker(0).ask("DELETE", &format!("/connectors/{name}"), None);
        let left = names.len() - number - 1;
        wait_until(SOON, "it is deleted", || {
            let connectors = group.ask(0, "GET", "/connectors", None);
            (connectors.as_array().unwrap().len() == left).then_some(())
        });
    }
    wait_until(SOON, "it has ended", || group_host().is_empty().then_some(()));
}

fn resident_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn command_line(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default().replace('\0', " ")
}

#[test]
fn with_hybrid_fail_a_plug_in_without_a_service_file_ends_the_start_and_is_named() {
    let kafka = Kafka::shared();
    let volley = Volley::new();
    let properties = java_properties(&["mongo-kafka-connect"]);
    let mut all: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    all.push(("plugin.discovery", "hybrid_fail"));
    volley.worker(&kafka.bootstrap_servers(), &all);
    let ended = volley.run(SOON * 4, &["standalone", "worker.properties"]);
    assert!(!ended.status.success());
    assert!(ended.log.contains(MONGO) && ended.log.contains("plugin.discovery=hybrid_warn"), "{}", ended.log);
}

/// A plug-in in `directory` that ends the JVM as soon as an instance of it is made; where it is.
fn halting_plugin(directory: &Path) -> PathBuf {
    let (classes, plugin) = (directory.join("classes"), directory.join("plugins/halting"));
    let services = classes.join("META-INF/services");
    [&services, &plugin].into_iter().for_each(|directory| fs::create_dir_all(directory).unwrap());
    fs::write(services.join("org.apache.kafka.connect.sink.SinkConnector"), "HaltingSink\n").unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/HaltingSink.java");
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    run(Command::new("javac").arg("-cp").arg(installed("connect").join("*")).arg("-d").arg(&classes).arg(source));
    run(Command::new("jar").arg("cf").arg(plugin.join("halting.jar")).arg("-C").arg(&classes).arg("."));
    plugin
}

#[test]
fn a_plug_in_that_ends_the_scan_is_named_and_left_out_and_the_others_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = halting_plugin(directory.path());
    let kafka = Kafka::shared();
    let properties = java_properties(&["connect-file"]);
    let path = &properties.iter().find(|(key, _)| *key == "plugin.path").unwrap().1;
    let path = format!("{},{path}", directory.path().join("plugins").display());
    // by service files, which takes less time than by reflection
    let more = [("plugin.path", path.as_str()), ("plugin.discovery", "service_load")];
    let group = worker(kafka, "java-halts", &["connect-file"], &more);
    let plugins = wait_until(SOON * 3, "the plug-ins are found", || {
        let answer = group.worker(0).try_ask("GET", "/connector-plugins", None)?;
        (answer.status == 200).then(|| answer.json())
    });
    let classes: Vec<_> = plugins.as_array().unwrap().iter().map(|plugin| plugin["class"].as_str().unwrap()).collect();
    assert!(classes.contains(&SOURCE) && !classes.contains(&"HaltingSink"), "{classes:?}");
    let log = group.worker(0).log();
    let location = plugin.display().to_string();
    assert!(log.lines().any(|line| line.contains("left out") && line.contains(&location)), "{log}");
    let lines = Lines::new(kafka, "java-halts");
    group.put(0, "c", &lines.source(&[]));
    group.await_state("c", "RUNNING", 1);
    assert!(hosts_of(group.worker(0).pid()).contains(&host_of(group.worker(0).pid(), "c")));
}
