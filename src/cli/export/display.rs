//! How far an export is: a bar on a terminal, lines elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use volley_worker::herder::ConnectorProgress;
use volley_worker::task::RunShare;

use crate::cli::number_text::{bytes, thousands};

/// How often a line is printed where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

/// The display of one export, on standard error.
pub(super) struct Display {
    name: String,
    bar: Option<ProgressBar>,
    next_line: Instant,
}

impl Display {
    pub(super) fn new(name: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{prefix} {wide_bar:.cyan} {percent:>3}%  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style).with_prefix(name.to_owned())
        });
        Self { name: name.to_owned(), bar, next_line: Instant::now() + LINE_INTERVAL }
    }

    pub(super) fn update(&mut self, progress: &ConnectorProgress, share: RunShare) {
        let text = progress_text(progress);
        match &self.bar {
            Some(bar) => {
                // nothing is not all of nothing: it is not known yet what there is
                bar.set_length(share.offsets.max(1));
                bar.set_position(share.read);
                bar.set_message(text);
            }
            None if Instant::now() >= self.next_line => {
                self.next_line = Instant::now() + LINE_INTERVAL;
                // whoever has closed it does not want to know
                let _ = writeln!(std::io::stderr(), "{}: {}%, {text}", self.name, percent(share));
            }
            None => {}
        }
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn progress_text(progress: &ConnectorProgress) -> String {
    format!(
        "{} rows ({} rows/s), {} files ({})",
        thousands(progress.total.rows_in),
        thousands(progress.rates.rows_in_per_second as u64),
        thousands(progress.total.files),
        bytes(progress.total.written_bytes)
    )
}

/// Whole percents of the offsets between start and end; 100 only if all have been read.
fn percent(share: RunShare) -> u64 {
    match share.offsets {
        0 => 0,
        offsets => u64::try_from(u128::from(share.read) * 100 / u128::from(offsets)).unwrap_or(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_is_all_and_nothing_less() {
        let percents = [(0, 0), (0, 7), (6, 7), (7, 7), (u64::MAX - 1, u64::MAX), (u64::MAX, u64::MAX)];
        assert_eq!(percents.map(|(read, offsets)| percent(RunShare { offsets, read })), [0, 0, 85, 100, 99, 100]);
    }
}
