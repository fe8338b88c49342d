//! Java processes, and what plug-ins in them count and measure themselves.

use super::exposition::Exposition;
use super::names;
use crate::plugins::{JavaProcess, JavaProcesses};

/// Adds what there is of both. Waits a moment for the processes.
pub(crate) fn expose(java: &dyn JavaProcesses, to: &mut Exposition) {
    for process in java.running() {
        expose_process(&process, to);
    }
    for number in java.numbers() {
        to.add_untyped(&number.name, &number.labels, number.value);
    }
}

/// Each process has each metric once, so that they can be added up. Which connectors share one is told by a metric of its own.
fn expose_process(process: &JavaProcess, to: &mut Exposition) {
    let mut labels = vec![("process", process.name.as_str())];
    if let [connector] = &process.connectors[..] {
        labels.push(("connector", connector));
    }
    let seconds = |ms: u64| ms as f64 / 1000.0;
    if let Some(bytes) = process.resident_bytes {
        to.add(&names::JAVA_RESIDENT, &labels, bytes as f64);
    }
    to.add(&names::JAVA_HEAP_USED, &labels, process.heap_used_bytes as f64);
    to.add(&names::JAVA_HEAP_MAX, &labels, process.heap_max_bytes as f64);
    to.add(&names::JAVA_THREADS, &labels, process.threads as f64);
    to.add(&names::JAVA_CPU, &labels, seconds(process.cpu_ms));
    to.add(&names::JAVA_GC, &labels, seconds(process.gc_ms));
    let pid = process.pid.to_string();
    for connector in &process.connectors {
        let labels = [("process", process.name.as_str()), ("connector", connector), ("pid", &pid)];
        to.add(&names::JAVA_PROCESS, &labels, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::{HeapsOfGroup, JavaNumber};

    struct Two;

    impl JavaProcesses for Two {
        fn set_log_level(&self, _: &str, _: &str) {}

        fn running(&self) -> Vec<JavaProcess> {
            let process = |name: &str, connectors: &[&str]| JavaProcess {
                name: name.to_owned(),
                connectors: connectors.iter().map(|connector| (*connector).to_owned()).collect(),
                pid: 7,
                resident_bytes: Some(1024),
                cpu_ms: 1500,
                ..JavaProcess::default()
            };
            vec![process("connector:a", &["a"]), process("group:g", &["b", "c"])]
        }

        fn numbers(&self) -> Vec<JavaNumber> {
            let number = |label: &str| JavaNumber {
                name: "debezium.postgres_connector-metrics_Lag".to_owned(),
                labels: vec![("process".to_owned(), "connector:a".to_owned()), (label.to_owned(), "shop".to_owned())],
                value: 2.5,
            };
            // the last two are one to Prometheus, which would refuse all of the text for it
            vec![number("server"), number("a-b"), number("a.b")]
        }

        fn ask_for_heaps_of_groups(&self, _: HeapsOfGroup) {}
    }

    #[test]
    fn each_process_is_counted_once_and_what_its_plug_ins_tell_has_names_that_prometheus_takes() {
        let mut to = Exposition::default();
        expose(&Two, &mut to);
        let text = to.text();
        for line in [
            "volley_java_resident_memory_bytes{process=\"connector:a\",connector=\"a\"} 1024",
            "volley_java_resident_memory_bytes{process=\"group:g\"} 1024",
            "volley_java_cpu_seconds_total{process=\"group:g\"} 1.5",
            "volley_java_process_info{process=\"group:g\",connector=\"c\",pid=\"7\"} 1",
            "# TYPE debezium_postgres_connector_metrics_Lag untyped",
            "debezium_postgres_connector_metrics_Lag{process=\"connector:a\",server=\"shop\"} 2.5",
            "debezium_postgres_connector_metrics_Lag{process=\"connector:a\",a_b=\"shop\"} 2.5",
        ] {
            assert_eq!(text.lines().filter(|other| *other == line).count(), 1, "{line} in {text}");
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("debezium")).count(), 2);
    }
}
