//! What plug-ins count and measure themselves, as Java's management beans have it.
//!
//! A bean and its attribute become a name and labels as the default of Prometheus' JMX exporter has them:
//!
//! ```text
//!  debezium.postgres:type=connector-metrics,context=streaming,server=shop   attribute MilliSecondsBehindSource
//!  debezium.postgres_connector-metrics_MilliSecondsBehindSource             context="streaming", server="shop"
//! ```
//!
//! Labels for the process stand before these.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use serde_json::{Value, json};
use tracing::warn;
use volley_api::Error;

use super::host::Host;
use crate::process::spawn;
use crate::sink_requests::each;

/// All processes together may take so long for their answers: a scrape does not wait for more.
const LIMIT: Duration = Duration::from_secs(2);
/// A process that has not answered after so long is asked again.
const GIVEN_UP: Duration = Duration::from_secs(600);

/// The label of a number's process.
const PROCESS: &str = "process";
/// The label of its connector.
const CONNECTOR: &str = "connector";

/// A number of a plug-in.
#[derive(Clone, Debug, PartialEq)]
pub struct JavaNumber {
    /// Domain, first property and attribute, with `_` between them.
    pub name: String,
    /// `process`, as [`super::JavaProcess::name`] has it; `connector` where the process has one only, and the bean does not name
    /// it itself; and the other properties, in their order. A property `process` is called `bean_process`.
    pub labels: Vec<(String, String)>,
    /// The number.
    pub value: f64,
}

/// Asks all at once.
pub(super) fn ask(hosts: &[Arc<Host>]) -> Vec<JavaNumber> {
    let (sender, answers) = bounded(hosts.len());
    let asked: Vec<&Arc<Host>> = hosts.iter().filter(|host| begin(host, &sender)).collect();
    drop(sender);
    let deadline = Instant::now() + LIMIT;
    let mut told = Vec::new();
    loop {
        match answers.recv_deadline(deadline) {
            Ok(numbers) => told.extend(numbers),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                asked.into_iter().filter(|host| host.is_asked.load(Ordering::Acquire)).for_each(|host| name_once(host));
                break;
            }
        }
    }
    told
}

/// Asks a process on a thread, unless it still owes an earlier answer: each question costs it a thread, too.
fn begin(host: &Arc<Host>, sender: &Sender<Vec<JavaNumber>>) -> bool {
    if host.is_asked.swap(true, Ordering::AcqRel) {
        return false;
    }
    let (of_thread, sender) = (Arc::clone(host), sender.clone());
    let spawned = spawn("java-numbers", move || {
        let answer = of_thread.process.calls().call("METRICS", json!({}), GIVEN_UP, &|| false);
        of_thread.is_asked.store(false, Ordering::Release);
        // a process that has ended tells nothing, and is named elsewhere
        let Ok(answer) = answer else { return };
        of_thread.is_named.store(false, Ordering::Release);
        let numbers = numbers_of(&of_thread, &answer);
        // nobody waits any more if it took too long
        let _ = sender.send(numbers);
    });
    if let Err(error) = spawned {
        host.is_asked.store(false, Ordering::Release);
        let error = Error::fatal("no thread was left to ask it").with_source(error);
        warn!(target: "volley_jvm", java = host.process.name(), error = error.trace(), "no metrics of a Java process");
        return false;
    }
    true
}

fn name_once(host: &Host) {
    if !host.is_named.swap(true, Ordering::AcqRel) {
        let (java, limit) = (host.process.name(), LIMIT.as_secs());
        warn!(target: "volley_jvm", java, limit, "a Java process does not tell the metrics of its plug-ins in time: they are left out");
    }
}

fn numbers_of(host: &Host, answer: &Value) -> Vec<JavaNumber> {
    let connectors = host.connectors();
    let connector = match &connectors[..] {
        [connector] => Some(connector.as_str()),
        _ => None,
    };
    let process = host.name.label();
    let mut numbers = Vec::new();
    for bean in each(&answer["metrics"]) {
        let Some(name) = bean["name"].as_str().and_then(BeanName::parse) else { continue };
        let labels = name.labels_in(&process, connector);
        for (attribute, value) in bean["attributes"].as_object().into_iter().flatten() {
            let Some(value) = value.as_f64() else { continue };
            numbers.push(JavaNumber { name: format!("{}_{attribute}", name.stem), labels: labels.clone(), value });
        }
    }
    numbers
}

/// A bean's name.
#[derive(Debug, PartialEq)]
struct BeanName {
    stem: String,
    labels: Vec<(String, String)>,
}

impl BeanName {
    /// Reads `domain:key=value,key="quoted",…`. `None` where there is no domain.
    fn parse(name: &str) -> Option<Self> {
        let (domain, rest) = name.split_once(':')?;
        let mut properties = properties(rest).into_iter();
        let stem = match properties.next() {
            Some((_, first)) => format!("{domain}_{first}"),
            None => domain.to_owned(),
        };
        Some(Self { stem, labels: properties.collect() })
    }

    /// The labels of a number in this process.
    fn labels_in(&self, process: &str, connector: Option<&str>) -> Vec<(String, String)> {
        let mut labels = vec![(PROCESS.to_owned(), process.to_owned())];
        let connector = connector.filter(|_| self.labels.iter().all(|(label, _)| label != CONNECTOR));
        labels.extend(connector.map(|connector| (CONNECTOR.to_owned(), connector.to_owned())));
        labels.extend(self.labels.iter().map(|(label, text)| match label == PROCESS {
            true => (format!("bean_{label}"), text.clone()),
            false => (label.clone(), text.clone()),
        }));
        labels
    }
}

fn properties(mut rest: &str) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    while let Some((key, value)) = rest.split_once('=') {
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = value.find(',').unwrap_or(value.len());
                (value[..end].to_owned(), &value[end..])
            }
        };
        properties.push((key.to_owned(), value));
        rest = behind.strip_prefix(',').unwrap_or_default();
    }
    properties
}

/// The text up to the next quotation mark, and what is behind it. A backslash stands before what would end it, and before `n`.
fn unquoted(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, &quoted[at + 1..]),
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, escaped)) => text.push(escaped),
                None => {}
            },
            other => text.push(other),
        }
    }
    (text, "")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parsed(name: &str) -> (String, Vec<(String, String)>) {
        let name = BeanName::parse(name).unwrap();
        (name.stem, name.labels)
    }

    fn labels(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_first_property_of_a_bean_belongs_to_its_name_and_the_others_are_labels() {
        let debezium = parsed("debezium.postgres:type=connector-metrics,context=streaming,server=shop");
        let expected = labels(&[("context", "streaming"), ("server", "shop")]);
        assert_eq!(debezium, ("debezium.postgres_connector-metrics".to_owned(), expected));
        assert_eq!(parsed("alone:"), ("alone".to_owned(), Vec::new()));
        assert_eq!(BeanName::parse("nothing"), None);
    }

    #[test]
    fn numbers_are_labelled_with_their_process_and_with_the_connector_that_alone_can_be_meant() {
        let name = BeanName::parse("d:type=t,process=x,b=c").unwrap();
        let expected = labels(&[("process", "connector:a"), ("connector", "a"), ("bean_process", "x"), ("b", "c")]);
        assert_eq!(name.labels_in("connector:a", Some("a")), expected);
        let name = BeanName::parse("kafka.connect:type=t,connector=b").unwrap();
        let expected = labels(&[("process", "group:g"), ("connector", "b")]);
        assert_eq!(
            (name.labels_in("group:g", None), name.labels_in("group:g", Some("a"))),
            (expected.clone(), expected)
        );
    }

    #[test]
    fn a_quoted_property_may_hold_what_separates_properties() {
        let name = parsed(r#"d:type=t,of="a,b=\"c\"\n*\*",last=1"#);
        assert_eq!(name, ("d_t".to_owned(), labels(&[("of", "a,b=\"c\"\n**"), ("last", "1")])));
        for cut in ["d:type=\"", "d:type=\"\\", "d:=", "d:type=t,=", "d:,", "d:a=\"b\"c,d=e"] {
            assert!(BeanName::parse(cut).is_some(), "{cut}");
        }
    }
}
