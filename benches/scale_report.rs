//! What the scale bench has found, as Markdown.

use std::fmt::Write;
use std::time::Duration;

use crate::group_measurement::{GroupMeasurement, Load};
use crate::testbed::Vendor;

const MB: f64 = 1e6;

/// How much better than Java Volley means to be.
struct Aim {
    name: &'static str,
    of: fn(&GroupMeasurement) -> f64,
    shown: fn(&GroupMeasurement) -> String,
    times: Option<f64>,
}

/// The table of both, with ratios.
pub(crate) fn markdown(load: &Load, measured: &[GroupMeasurement]) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let find = |vendor: Vendor| measured.iter().find(|measurement| measurement.vendor == vendor);
    let (java, volley) = (find(Vendor::Java), find(Vendor::Volley));
    let mut text = format!(
        "{} connectors of one task each (FileStreamSource on an empty file) in a group of {} workers; workers and broker on the \
         same {cores} cores; time-outs as they are by default.\n\n\
         | | Java | Volley | Java : Volley | aim |\n|---|---:|---:|---:|---:|\n",
        load.connectors, load.workers
    );
    for aim in aims() {
        let shown = |measurement: Option<&GroupMeasurement>| measurement.map(aim.shown).unwrap_or_default();
        let ratio = java.zip(volley).map(|(java, volley)| (aim.of)(java) / (aim.of)(volley));
        let kept = ratio.zip(aim.times).map(|(ratio, times)| if ratio >= times { "" } else { ", **missed**" });
        let wanted = aim.times.map(|times| format!("≥ {times}{}", kept.unwrap_or_default())).unwrap_or_default();
        let ratio = ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
        writeln!(text, "| {} | {} | {} | {ratio} | {wanted} |", aim.name, shown(java), shown(volley))
            .expect("a string takes all");
    }
    text.push('\n');
    text
}

fn aims() -> [Aim; 10] {
    let aim = |name, times, of, shown| Aim { name, of, shown, times };
    [
        aim("start of a worker to its first assignment", Some(5.0), |m| s(m.start), |m| shown(m.start)),
        aim("all created over REST and RUNNING", Some(5.0), |m| s(m.created), |m| shown(m.created)),
        aim("all RUNNING after a start of the group", Some(5.0), |m| s(m.resumed), |m| shown(m.resumed)),
        aim("`GET /connectors?expand=status`", Some(5.0), |m| s(m.status_query), |m| shown(m.status_query)),
        aim(
            "pause of what moves when a worker joins, median",
            Some(5.0),
            |m| s(m.pause),
            |m| format!("{} ({} moved)", shown(m.pause), m.moved),
        ),
        aim("the same, longest", Some(5.0), |m| s(m.longest_pause), |m| shown(m.longest_pause)),
        aim("start of the joining worker to all RUNNING", Some(5.0), |m| s(m.joined), |m| shown(m.joined)),
        aim("memory of a worker, resident", Some(10.0), |m| m.resident_bytes as f64, |m| megabytes(m.resident_bytes)),
        aim("of it no page of a file", None, |m| m.anonymous_bytes as f64, |m| megabytes(m.anonymous_bytes)),
        aim(
            "CPU of a worker at rest",
            None,
            |m| m.idle_millicores,
            |m| format!("{:.1} % of a core", m.idle_millicores / 10.0),
        ),
    ]
}

fn s(duration: Duration) -> f64 {
    // what is faster than the clock of the status topic counts as its one millisecond
    duration.as_secs_f64().max(1e-3)
}

fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        0..10 => format!("{:.1} ms", duration.as_secs_f64() * 1e3),
        ms if ms < 1_000 => format!("{ms} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / MB)
}
