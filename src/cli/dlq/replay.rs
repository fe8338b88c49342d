//! `volley dlq replay`

use volley_api::Plugin;
use volley_worker::dead_letters::{
    DeadLetter, Destination, KeptBytes, ReplayReport, ReplaySettings, Resend, plan_replay, replay,
};

use super::cluster::Cluster;
use super::filter::Filter;
use super::letter_text::{bytes_text, cut, line_width};
use crate::cli::Failure;
use crate::cli::output::say;
use crate::cli::records_text::printable;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Dead letter topic
    #[arg(long)]
    topic: String,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Send those, too, that were replayed already
    #[arg(long)]
    again: bool,
    /// Topic to send to, instead of the one that each record came from
    #[arg(long, value_name = "TOPIC")]
    to_topic: Option<String>,
    /// Send to the partition that each record came from, instead of the one of its key
    #[arg(long)]
    same_partition: bool,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    filter: Filter,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>) -> Result<(), Failure> {
    let Arguments { topic, to_topic, .. } = arguments;
    if to_topic.as_ref() == Some(topic) {
        return Err(Failure::usage("--to-topic is the dead letter topic itself: give another one"));
    }
    let clients = arguments.cluster.clients(plugins)?;
    let settings = ReplaySettings {
        filter: arguments.filter.letters(),
        destination: Destination { topic: to_topic.clone(), same_partition: arguments.same_partition },
        again: arguments.again,
    };
    let report = match arguments.dry_run {
        true => {
            let width = line_width();
            plan_replay(&clients, topic, &settings, |letter, resend| say!("{}", cut(&plan_text(letter, resend), width)))
        }
        false => replay(&clients, topic, &settings),
    };
    let report = report.map_err(Failure::connector)?;
    print(topic, arguments.dry_run, &report);
    match report.refusals() {
        0 => Ok(()),
        refusals => {
            Err(Failure::connector(anyhow::anyhow!("{refusals} dead letters cannot be sent, for the reasons above")))
        }
    }
}

fn plan_text(letter: &DeadLetter<'_>, resend: &Resend<'_>) -> String {
    let partition = resend.partition.map_or_else(String::new, |partition| format!("-{partition}"));
    let to = format!("{} -> {}{partition}", letter.place(), resend.topic);
    let text = |bytes: Option<&[u8]>| bytes_text(bytes.map(KeptBytes::of).as_ref());
    format!("{}  key {}  value {}", printable(&to), text(resend.key), text(resend.value))
}

fn print(topic: &str, is_dry_run: bool, report: &ReplayReport) {
    for (refusal, (count, first)) in &report.refused {
        let text = format!("refused {count}, first {first}: {refusal}");
        say!("{}", printable(&text));
    }
    let sent = if is_dry_run { "would be sent" } else { "sent" };
    let ReplayReport { read, filtered, replayed_before, .. } = report;
    say!(
        "{}: {read} read, {} {sent}, {} skipped ({filtered} filtered, {replayed_before} replayed before), {} refused",
        printable(topic),
        report.sent,
        filtered + replayed_before,
        report.refusals()
    );
}
