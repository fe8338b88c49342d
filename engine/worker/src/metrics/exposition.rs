//! Metrics as text, in Prometheus' exposition format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use volley_api::metrics::{MetricKind, MetricReading, Metrics};

/// The content type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether a metric only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It grows, and begins at zero with its thing.
    Counter,
    /// It goes up and down.
    Gauge,
    /// One or the other: who tells it does not say.
    Untyped,
}

/// A metric, of which there is a sample for each set of labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// Its name: letters, digits, underscores.
    pub(crate) name: &'static str,
    /// Whether it only grows.
    pub(crate) kind: Kind,
    /// What it counts, with its unit.
    pub(crate) help: &'static str,
}

#[derive(Debug)]
struct Written {
    kind: Kind,
    help: String,
    samples: String,
}

/// Samples put together by metric, as the format demands.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    families: BTreeMap<String, Written>,
    /// Names and labels of what was added without a type.
    untyped: HashSet<String>,
}

impl Exposition {
    /// Adds a sample with these labels.
    pub(crate) fn add(&mut self, family: &Family, labels: &[(&str, &str)], value: f64) {
        self.add_named(family.name, family.kind, family.help, labels, value);
    }

    /// Adds a sample of a metric whose name is known at run time only. Characters that a name cannot have become `_`.
    pub(crate) fn add_named(&mut self, name: &str, kind: Kind, help: &str, labels: &[(&str, &str)], value: f64) {
        let name = valid_name(name);
        let written = self.families.entry(name.clone()).or_insert_with(|| Written {
            kind,
            help: help.to_owned(),
            samples: String::new(),
        });
        written.samples.push_str(&name);
        label_text(labels, &mut written.samples);
        written.samples.push(' ');
        number(value, &mut written.samples);
        written.samples.push('\n');
    }

    /// Adds a sample that something outside names, which may name two alike: of two samples, and of two labels of one, that have
    /// the same name the first counts.
    pub(crate) fn add_untyped(&mut self, name: &str, labels: &[(String, String)], value: f64) {
        let mut valid: Vec<(String, &str)> = Vec::with_capacity(labels.len());
        for (label, text) in labels {
            let label = valid_name(label);
            if !label.is_empty() && !valid.iter().any(|(known, _)| *known == label) {
                valid.push((label, text));
            }
        }
        let labels: Vec<(&str, &str)> = valid.iter().map(|(label, text)| (label.as_str(), *text)).collect();
        let mut key = valid_name(name);
        label_text(&labels, &mut key);
        if self.untyped.insert(key) {
            self.add_named(name, Kind::Untyped, "Told by the plug-in.", &labels, value);
        }
    }

    /// Adds what a plug-in counts itself, under names that begin so.
    pub(crate) fn add_of_plugin(&mut self, prefix: &str, metrics: &Metrics, labels: &[(&str, &str)]) {
        for MetricReading { name, kind, value } in metrics.read() {
            let (kind, suffix) = match kind {
                MetricKind::Counter if !name.ends_with("_total") => (Kind::Counter, "_total"),
                MetricKind::Counter => (Kind::Counter, ""),
                MetricKind::Gauge => (Kind::Gauge, ""),
            };
            let name = format!("{prefix}_{name}{suffix}");
            self.add_named(&name, kind, "Counted by the plug-in.", labels, value as f64);
        }
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (name, written) in &self.families {
            let kind = match written.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Untyped => "untyped",
            };
            text.push_str("# HELP ");
            text.push_str(name);
            text.push(' ');
            escape(&written.help, false, &mut text);
            // writing to a string cannot fail
            let _ = writeln!(text, "\n# TYPE {name} {kind}");
            text.push_str(&written.samples);
        }
        text
    }
}

fn label_text(labels: &[(&str, &str)], to: &mut String) {
    for (at, (label, text)) in labels.iter().enumerate() {
        to.push(if at == 0 { '{' } else { ',' });
        to.push_str(&valid_name(label));
        to.push_str("=\"");
        escape(text, true, to);
        to.push('"');
    }
    if !labels.is_empty() {
        to.push('}');
    }
}

fn number(value: f64, to: &mut String) {
    let _ = match value {
        value if value.is_nan() => write!(to, "NaN"),
        value if value == f64::INFINITY => write!(to, "+Inf"),
        value if value == f64::NEG_INFINITY => write!(to, "-Inf"),
        value => write!(to, "{value}"),
    };
}

fn escape(text: &str, in_quotes: bool, to: &mut String) {
    for character in text.chars() {
        match character {
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '"' if in_quotes => to.push_str("\\\""),
            other => to.push(other),
        }
    }
}

fn valid_name(name: &str) -> String {
    let valid = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    let name: String = name.chars().map(valid).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Family = Family { name: "read_total", kind: Kind::Counter, help: "Records\nread." };
    const LAG: Family = Family { name: "lag", kind: Kind::Gauge, help: "Behind." };

    #[test]
    fn samples_of_one_metric_stand_together_below_its_help_and_type() {
        let mut exposition = Exposition::default();
        exposition.add(&READ, &[("connector", "a"), ("task", "0")], 3.0);
        exposition.add(&LAG, &[], f64::NAN);
        exposition.add(&READ, &[("connector", "a"), ("task", "1")], 1e15);
        assert_eq!(
            exposition.text(),
            "# HELP lag Behind.\n# TYPE lag gauge\nlag NaN\n\
             # HELP read_total Records\\nread.\n# TYPE read_total counter\n\
             read_total{connector=\"a\",task=\"0\"} 3\nread_total{connector=\"a\",task=\"1\"} 1000000000000000\n"
        );
    }

    #[test]
    fn any_label_value_and_any_name_give_lines_that_can_be_read() {
        let mut exposition = Exposition::default();
        exposition.add_named("1.my-metric", Kind::Gauge, "", &[("connector", "a\"b\\c\nd é")], f64::INFINITY);
        assert_eq!(
            exposition.text(),
            "# HELP _1_my_metric \n# TYPE _1_my_metric gauge\n_1_my_metric{connector=\"a\\\"b\\\\c\\nd é\"} +Inf\n"
        );
    }
}
