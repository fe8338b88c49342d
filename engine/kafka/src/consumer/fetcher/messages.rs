//! Where the messages come from: librdkafka's consumer, or fetching by our own hand (`crate::fetch`).
//!
//! Where the native client fetches and the group is librdkafka's business, its partitions are paused as soon as they are assigned, so
//! that it fetches nothing.

use std::sync::Arc;

use rdkafka::ClientConfig;
use volley_api::{ConfigMap, Offsets, Result, TopicPartition};

use crate::consumer::consumer_events::NativeConsumer;
use crate::consumer::membership::Membership;
use crate::fetch::{FetchClient, NativeFetch, NativeSettings};

/// Ends a wait for messages.
pub(super) type Wake = Arc<dyn Fn() + Send + Sync>;

/// The source of a fetcher's messages.
#[derive(Debug)]
pub(super) enum Messages {
    /// librdkafka's queue, which knows what is assigned and where it stands.
    Librdkafka,
    Native(Box<NativeFetch>),
}

impl Messages {
    /// That of `client`. The consumer calls a native client when it has something to say.
    ///
    /// # Errors
    /// `Config`, naming the key whose value is wrong.
    pub(super) fn from(
        client: FetchClient,
        properties: &ConfigMap,
        config: &ClientConfig,
        consumer: &mut NativeConsumer,
    ) -> Result<Self> {
        if client == FetchClient::Librdkafka {
            return Ok(Self::Librdkafka);
        }
        let (messages, wake) = Self::native(properties, config)?;
        consumer.set_nonempty_callback(move || wake());
        Ok(messages)
    }

    /// Those that are fetched by our own hand, and what ends the wait for them from any thread.
    ///
    /// # Errors
    /// As [`Messages::from`].
    pub(super) fn native(properties: &ConfigMap, config: &ClientConfig) -> Result<(Self, Wake)> {
        let fetch = Box::new(NativeFetch::start(NativeSettings::read(properties, config)?)?);
        let wake = Arc::new(fetch.caller());
        Ok((Self::Native(fetch), wake))
    }

    /// Partitions that the consumer has been assigned.
    pub(super) fn assign(&mut self, group: &Membership, positions: &Offsets) -> Result<()> {
        let Self::Native(fetch) = self else { return Ok(()) };
        group.pause(positions.keys())?;
        fetch.assign(positions);
        Ok(())
    }

    /// Partitions that go away.
    pub(super) fn revoke(&mut self, partitions: &[TopicPartition]) {
        if let Self::Native(fetch) = self {
            fetch.revoke(partitions);
        }
    }

    /// Stops messages of these partitions. What waits of them comes again.
    pub(super) fn pause(&mut self, group: &Membership, partitions: &[TopicPartition]) -> Result<()> {
        match self {
            Self::Native(fetch) => fetch.pause(partitions),
            Self::Librdkafka => group.pause(partitions)?,
        }
        Ok(())
    }

    /// Undoes [`Messages::pause`].
    pub(super) fn resume(&mut self, group: &Membership, partitions: &[TopicPartition]) -> Result<()> {
        match self {
            Self::Native(fetch) => fetch.resume(partitions),
            Self::Librdkafka => group.resume(partitions)?,
        }
        Ok(())
    }

    /// Limits what may wait to be read to one answer of each broker, or lifts that limit.
    pub(super) fn be_sparing(&mut self, is_sparing: bool) {
        if let Self::Native(fetch) = self {
            fetch.be_sparing(is_sparing);
        }
    }

    /// Bytes that were fetched and not read, as far as they are known.
    pub(super) fn waiting_bytes(&self) -> usize {
        match self {
            Self::Native(fetch) => fetch.waiting_bytes(),
            Self::Librdkafka => 0,
        }
    }
}
