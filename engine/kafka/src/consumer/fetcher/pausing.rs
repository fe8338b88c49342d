//! Pauses of all partitions, which librdkafka hears of only when they last, and of single partitions.

use std::time::Instant;

use volley_api::{Result, TopicPartition};

use super::{Fetcher, Pause};

impl Fetcher {
    /// Stops yielding batches; keeps the buffered messages. [`Fetcher::poll`] still serves rebalances, after at most a
    /// second.
    pub fn pause_all(&mut self) {
        match self.pause {
            Pause::None => self.pause = Pause::Soft(Instant::now()),
            Pause::Ending => self.pause = Pause::Hard,
            Pause::Soft(_) | Pause::Hard => {}
        }
    }

    /// Undoes [`Fetcher::pause_all`]; partitions paused one by one stay so.
    pub fn resume_all(&mut self) {
        match self.pause {
            Pause::Soft(_) => self.pause = Pause::None,
            Pause::Hard => self.pause = Pause::Ending,
            Pause::None | Pause::Ending => {}
        }
    }

    /// Whether [`Fetcher::pause_all`] is in effect.
    pub fn is_paused(&self) -> bool {
        matches!(self.pause, Pause::Soft(_) | Pause::Hard)
    }

    /// Tells librdkafka that the pause of all partitions is over.
    pub(super) fn end_pause(&mut self) -> Result<()> {
        if self.pause == Pause::Ending {
            let mut partitions = self.assignment.partitions();
            partitions.retain(|partition| !self.assignment.is_paused(partition));
            self.resume_messages(&partitions)?;
            self.pause = Pause::None;
        }
        Ok(())
    }

    /// Stops yielding batches of these partitions.
    ///
    /// # Errors
    /// `Fatal` when the client refuses.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        for partition in partitions {
            self.assignment.set_paused(partition, true);
        }
        self.pause_messages(partitions)
    }

    /// Undoes [`Fetcher::pause`].
    ///
    /// # Errors
    /// `Fatal` when the client refuses.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        for partition in partitions {
            self.assignment.set_paused(partition, false);
        }
        if matches!(self.pause, Pause::Hard | Pause::Ending) { Ok(()) } else { self.resume_messages(partitions) }
    }

    pub(super) fn pause_messages(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let owned: Vec<_> = partitions.iter().filter(|name| self.assignment.contains(name)).cloned().collect();
        self.messages.pause(&self.group, &owned)
    }

    pub(super) fn resume_messages(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let owned: Vec<_> = partitions.iter().filter(|name| self.assignment.contains(name)).cloned().collect();
        self.messages.resume(&self.group, &owned)
    }
}
