//! Which rows of a table or query are new, now.

use std::time::Duration;

use arrow::array::Array;
use volley_api::{Error, Result};

use super::access::Access;
use super::config::Mode;
use super::config::{InitialTimestamp, SourceConfig};
use super::late::{Lookback, NumberBound};
use super::mode_columns::ModeColumns;
use super::progress::ProgressColumns;
use super::statement::{Criteria, Subject};
use super::stored_offset::Position;
use crate::database::{Fetched, Timestamp};

/// How long the greatest number is waited for at a time.
const ANSWER: Duration = Duration::from_millis(100);

/// What is known of new rows beyond the position.
#[derive(Debug)]
pub(super) struct NewRows {
    /// What is read again, if anything is.
    pub(super) lookback: Option<Lookback>,
    /// What the lookback had delivered with the last rows that were given out.
    delivered: String,
    bound: NumberBound,
    /// When a bounded run began: it reads what was there by then.
    began: Option<Timestamp>,
    /// Whether rows are known to be there that must wait.
    pub(super) has_waiting: bool,
}

impl NewRows {
    /// In this mode; `delivered` is what the stored offset says of a lookback.
    ///
    /// # Errors
    /// `Config` if it says nothing that could be.
    pub(super) fn new(config: &SourceConfig, mode: Mode, delivered: String) -> Result<Self> {
        let wrong = |reason| Error::config(format!("the offset's `lookback` is not what Volley stores: {reason}"));
        let lookback = match mode {
            mode if mode.is_timestamp && config.lookback_ms > 0 => {
                Some(Lookback::by_times(config.lookback_ms, &delivered))
            }
            mode if mode.is_incrementing && !mode.is_timestamp && config.lookback_rows > 0 => {
                Some(Lookback::by_numbers(config.lookback_rows, &delivered))
            }
            _ => None,
        };
        let lookback = lookback.transpose().map_err(wrong)?;
        Ok(Self { lookback, delivered, bound: NumberBound::default(), began: None, has_waiting: false })
    }

    /// The rows that are new behind `position`; `None` if there can be none yet.
    pub(super) fn criteria(
        &mut self,
        subject: &Subject,
        columns: &ModeColumns,
        position: &mut Position,
        access: &mut Access<'_>,
    ) -> Result<Option<Criteria>> {
        self.has_waiting = false;
        match &columns.incrementing {
            None if columns.timestamps.is_empty() => Ok(Some(Criteria::Everything)),
            Some(column) if columns.timestamps.is_empty() => self.by_number(subject, column, *position, access),
            _ => self.by_time(columns, position, access),
        }
    }

    /// Takes what the lookback had delivered with rows that are given out.
    pub(super) fn delivered(&mut self, text: String) {
        self.delivered = text;
    }

    /// Ends a pass over what was new.
    pub(super) fn end_pass(&mut self, position: Position) {
        if let Some(lookback) = &mut self.lookback {
            lookback.end_pass(position);
        }
    }

    /// Forgets what was read and not given out.
    pub(super) fn give_up(&mut self) {
        if let Some(lookback) = &mut self.lookback {
            // Volley has written the text itself
            if let Ok(restored) = lookback.restored(&self.delivered) {
                *lookback = restored;
            }
        }
    }

    fn by_number(
        &mut self,
        subject: &Subject,
        column: &str,
        position: Position,
        access: &mut Access<'_>,
    ) -> Result<Option<Criteria>> {
        let initial = access.config.incrementing_initial;
        let last = position.incrementing.unwrap_or(initial);
        let after = self.lookback.as_ref().map_or(last, |lookback| lookback.number_after(last, initial));
        let mut up_to = None;
        if access.config.waits_for_transactions {
            let settled = access.settling.look(access.connection.open_transactions()?);
            if self.bound.settle(settled) {
                let greatest = greatest(subject, column, access)?;
                let now = access.connection.current_time()?;
                self.bound.found(greatest, now);
            }
            self.has_waiting = match access.config.is_bounded {
                true => self.bound.has_first_pending(),
                false => self.bound.has_pending(),
            };
            up_to = self.bound.settled().filter(|number| *number > after);
            if up_to.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(Criteria::Incrementing { column: column.to_owned(), after, up_to }))
    }

    fn by_time(
        &mut self,
        columns: &ModeColumns,
        position: &mut Position,
        access: &mut Access<'_>,
    ) -> Result<Option<Criteria>> {
        let config = access.config;
        let now = access.connection.current_time()?;
        let mut before = now.minus_millis(config.delay_ms);
        if config.waits_for_transactions {
            let settled = access.settling.look(access.connection.open_transactions()?);
            let began = *self.began.get_or_insert(before);
            self.has_waiting = config.is_bounded && settled.is_none_or(|settled| settled < began);
            let Some(settled) = settled else { return Ok(None) };
            before = before.min(settled);
        }
        let (initial, last) = match (position.timestamp, config.timestamp_initial) {
            (last, InitialTimestamp::After(initial)) => (initial, last.unwrap_or(initial)),
            (Some(last), InitialTimestamp::Now) => (Timestamp::from_millis(i64::MIN), last),
            // from now on, also if nothing comes for long
            (None, InitialTimestamp::Now) => {
                let now = *position.timestamp.insert(before.min(now));
                (now, now)
            }
        };
        let after = self.lookback.as_ref().map_or(last, |lookback| lookback.time_after(last, initial));
        let timestamps = columns.timestamps.clone();
        Ok(Some(match &columns.incrementing {
            Some(column) if self.lookback.is_none() => {
                let after_number = position.incrementing.unwrap_or(config.incrementing_initial);
                Criteria::Both { columns: timestamps, after, before, column: column.clone(), after_number }
            }
            then => Criteria::Timestamp { columns: timestamps, after, before, then: then.clone() },
        }))
    }
}

/// The greatest number there is.
fn greatest(subject: &Subject, column: &str, access: &mut Access<'_>) -> Result<Option<i64>> {
    let query = access.query(access.writing().greatest(subject, column));
    access.connection.query(&query)?;
    let progress = ProgressColumns { incrementing: Some(0), timestamps: Vec::new(), zone: access.config.types.zone };
    let mut greatest = None;
    loop {
        match access.connection.next(ANSWER)? {
            Fetched::Waiting => {}
            Fetched::End => return Ok(greatest),
            Fetched::Rows(rows) => {
                if rows.num_rows() > 0 && rows.column(0).is_valid(0) {
                    greatest = progress.position(&rows, 0)?.incrementing;
                }
            }
        }
    }
}
