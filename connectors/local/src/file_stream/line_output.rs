//! Appends whole batches of lines and bears a disk that is full for a while.
//!
//! At most one batch is unwritten. If it cannot be written, what stands of it is taken back, or, where somebody else has
//! appended behind it, the rest is written later exactly from where it broke off.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use tracing::warn;
use volley_api::metrics::Counter;
use volley_api::{Error, Result, TopicPartition};

use super::output_target::OutputTarget;

/// The end of a file to which a sink task appends.
#[derive(Debug)]
pub(super) struct LineOutput {
    target: Box<dyn OutputTarget>,
    /// For messages.
    name: String,
    retry_timeout: Option<Duration>,
    /// The batch that is being written, and how much of it is.
    lines: Vec<u8>,
    done: usize,
    partition: Option<TopicPartition>,
    failing_since: Option<Instant>,
    is_synced: bool,
    /// Why it could not be made durable once: nothing can vouch for what was written before.
    lost: Option<String>,
    /// Bytes of lines that stand.
    written: Counter,
    /// Bytes that stand and may be taken back yet.
    uncounted: u64,
}

impl LineOutput {
    /// Appends to `target`, which messages call `name`. `retry_timeout`: how long a disk may stay full; `None` = for ever. Bytes
    /// are counted by `written`.
    pub(super) fn new(
        target: Box<dyn OutputTarget>,
        name: String,
        retry_timeout: Option<Duration>,
        written: Counter,
    ) -> Self {
        Self {
            target,
            name,
            retry_timeout,
            lines: Vec::new(),
            done: 0,
            partition: None,
            failing_since: None,
            is_synced: true,
            lost: None,
            written,
            uncounted: 0,
        }
    }

    /// Bytes of unwritten lines.
    pub(super) fn unwritten(&self) -> usize {
        self.lines.len() - self.done
    }

    /// Takes the lines that `write_lines` adds to the empty buffer, and writes as much as is possible now. Everything
    /// before MUST be written.
    ///
    /// # Errors
    /// None of kind `Retriable`: the lines are taken.
    pub(super) fn append(&mut self, partition: &TopicPartition, write_lines: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        debug_assert_eq!(self.unwritten(), 0);
        self.lines.clear();
        self.done = 0;
        write_lines(&mut self.lines);
        self.partition = Some(partition.clone());
        match self.write_out() {
            Err(error) if error.is_retriable() => Ok(()),
            written => written,
        }
    }

    /// Writes what is unwritten.
    ///
    /// # Errors
    /// `Retriable` while the disk is full or read-only, `Fatal` once it was so for too long and for anything else.
    pub(super) fn write_out(&mut self) -> Result<()> {
        while self.unwritten() > 0 {
            match self.target.write(&self.lines[self.done..]) {
                Ok(0) => return Err(self.failed(io::Error::from(ErrorKind::WriteZero))),
                Ok(length) => self.advance(length),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.failing_since = None;
        self.written.add(std::mem::take(&mut self.uncounted));
        Ok(())
    }

    /// Writes what is unwritten and makes everything durable.
    ///
    /// # Errors
    /// Those of [`LineOutput::write_out`]; `Fatal`, from then on at every call, when it could not be made durable.
    pub(super) fn flush(&mut self) -> Result<()> {
        // After a failed sync the system may have dropped the data: no second try could vouch for them.
        if let Some(reason) = &self.lost {
            return Err(Error::fatal(format!("could not make {} durable: {reason}", self.name)));
        }
        self.write_out()?;
        if !self.is_synced {
            if let Err(error) = self.target.sync() {
                self.lost = Some(error.to_string());
                let message = format!("could not make {} durable: {error}", self.name);
                return Err(Error::fatal(message).with_source(error));
            }
            self.is_synced = true;
        }
        Ok(())
    }

    /// Forgets unwritten lines if they are of one of these partitions, except the rest of a line of which a part stands.
    pub(super) fn forget(&mut self, is_gone: impl Fn(&TopicPartition) -> bool) {
        if self.unwritten() == 0 || !self.partition.as_ref().is_some_and(is_gone) {
            return;
        }
        self.take_back();
        let is_within_a_line = self.done > 0 && self.lines[self.done - 1] != b'\n';
        let rest = self.lines[self.done..].iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.lines.truncate(self.done + if is_within_a_line { rest } else { 0 });
    }

    fn advance(&mut self, length: usize) {
        self.done += length;
        self.uncounted += length as u64;
        self.is_synced = false;
    }

    fn failed(&mut self, error: io::Error) -> Error {
        self.take_back();
        let message = format!("could not write to {}: {error}", self.name);
        if !is_passing(error.kind()) {
            return Error::fatal(message).with_source(error);
        }
        if self.failing_since.is_none() {
            warn!(file = self.name, %error, "could not write, trying again");
        }
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        match self.retry_timeout {
            Some(timeout) if since.elapsed() >= timeout => {
                let tried = since.elapsed().as_secs();
                Error::fatal(format!("{message}; gave up after trying for {tried} s (`retry.timeout.ms`)"))
            }
            _ => Error::retriable(message),
        }
        .with_source(error)
    }

    fn take_back(&mut self) {
        if self.done == 0 {
            return;
        }
        match self.target.take_back(self.done as u64) {
            Ok(true) => {
                self.uncounted = 0;
                self.done = 0;
            }
            Ok(false) => {}
            Err(error) => warn!(file = self.name, %error, "could not take back half a batch"),
        }
    }
}

/// Whether the user may make room, or whatever is needed, while the connector waits.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::ResourceBusy
            | ErrorKind::StaleNetworkFileHandle
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;

    /// A disk with some room.
    #[derive(Clone, Debug, Default)]
    struct Disk(Arc<Mutex<DiskState>>);

    #[derive(Debug, Default)]
    struct DiskState {
        content: Vec<u8>,
        room: usize,
        is_shared: bool,
        syncs: usize,
        fails_next_sync: bool,
    }

    impl Disk {
        fn with_room(room: usize) -> Self {
            let disk = Self::default();
            disk.0.lock().unwrap().room = room;
            disk
        }

        fn add_room(&self, room: usize) {
            self.0.lock().unwrap().room += room;
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().content.clone()).unwrap()
        }

        fn output(&self, retry_timeout: Option<Duration>) -> LineOutput {
            LineOutput::new(Box::new(self.clone()), "file `f`".into(), retry_timeout, Counter::default())
        }
    }

    impl OutputTarget for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            let length = bytes.len().min(disk.room);
            if length == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            disk.room -= length;
            disk.content.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn sync(&mut self) -> io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            disk.syncs += 1;
            match std::mem::take(&mut disk.fails_next_sync) {
                true => Err(io::Error::other("the device is gone")),
                false => Ok(()),
            }
        }

        fn take_back(&mut self, len: u64) -> io::Result<bool> {
            let mut disk = self.0.lock().unwrap();
            if disk.is_shared {
                return Ok(false);
            }
            let length = disk.content.len() - len as usize;
            disk.content.truncate(length);
            disk.room += len as usize;
            Ok(true)
        }
    }

    fn partition() -> TopicPartition {
        TopicPartition::new("t", 0)
    }

    fn append(output: &mut LineOutput, text: &str) -> Result<()> {
        output.append(&partition(), |lines| lines.extend_from_slice(text.as_bytes()))
    }

    proptest! {
        #[test]
        fn a_disk_that_fills_up_and_gets_room_again_has_every_line_once(
            batches in prop::collection::vec("([a-z]{0,5}\n){1,4}", 1..10),
            rooms in prop::collection::vec(1usize..12, 1..40),
            is_shared: bool,
        ) {
            let disk = Disk::default();
            disk.0.lock().unwrap().is_shared = is_shared;
            let mut output = disk.output(None);
            let mut rooms = rooms.iter().cycle();
            for batch in &batches {
                while let Err(error) = output.write_out() {
                    prop_assert!(error.is_retriable());
                    // Alone on the disk, nobody ever sees half a line.
                    prop_assert!(is_shared || disk.text().is_empty() || disk.text().ends_with('\n'));
                    disk.add_room(*rooms.next().unwrap());
                }
                append(&mut output, batch).unwrap();
            }
            disk.add_room(10_000);
            output.flush().unwrap();
            prop_assert_eq!(disk.text(), batches.concat());
        }
    }

    #[test]
    fn a_flush_fails_until_everything_is_written_and_then_syncs_once() {
        let disk = Disk::with_room(3);
        let mut output = disk.output(None);
        append(&mut output, "one\ntwo\n").unwrap();
        assert!(output.flush().unwrap_err().is_retriable());
        assert_eq!(disk.0.lock().unwrap().syncs, 0);
        disk.add_room(100);
        output.flush().unwrap();
        output.flush().unwrap();
        assert_eq!((disk.text().as_str(), disk.0.lock().unwrap().syncs), ("one\ntwo\n", 1));
        assert_eq!(output.written.value(), 8);
    }

    #[test]
    fn after_a_failed_sync_no_second_flush_vouches_for_what_may_be_lost() {
        let disk = Disk::with_room(100);
        disk.0.lock().unwrap().fails_next_sync = true;
        let mut output = disk.output(None);
        append(&mut output, "one\n").unwrap();
        for _ in 0..2 {
            let error = output.flush().unwrap_err();
            assert_eq!(error.kind(), volley_api::ErrorKind::Fatal);
            assert!(error.to_string().contains("could not make file `f` durable: the device is gone"), "{error}");
        }
    }

    #[test]
    fn a_disk_that_stays_full_fails_the_task_with_the_reason() {
        let mut output = Disk::default().output(Some(Duration::ZERO));
        let error = append(&mut output, "one\n").unwrap_err();
        assert_eq!(error.kind(), volley_api::ErrorKind::Fatal);
        assert!(error.to_string().contains("file `f`") && error.to_string().contains("retry.timeout.ms"), "{error}");
    }

    #[test]
    fn forgotten_lines_leave_no_half_line_and_nothing_of_others() {
        let disk = Disk::with_room(6);
        disk.0.lock().unwrap().is_shared = true;
        let mut output = disk.output(None);
        append(&mut output, "one\ntwo\nthree\n").unwrap();
        output.forget(|gone| gone == &TopicPartition::new("t", 1));
        assert_eq!(output.unwritten(), 8);
        output.forget(|gone| gone == &partition());
        disk.add_room(100);
        output.flush().unwrap();
        assert_eq!(disk.text(), "one\ntwo\n");
    }

    #[test]
    fn forgotten_lines_of_which_nothing_stands_are_never_written() {
        let disk = Disk::with_room(6);
        let mut output = disk.output(None);
        append(&mut output, "one\ntwo\nthree\n").unwrap();
        output.forget(|_| true);
        disk.add_room(100);
        output.flush().unwrap();
        assert_eq!(disk.text(), "");
    }
}
