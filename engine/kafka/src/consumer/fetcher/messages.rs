//! Where the messages come from: librdkafka's consumer, or fetching by our own hand (`crate::fetch`).
//!
//! The group is librdkafka's business in either case. With the native client its partitions are paused as soon as they are
//! assigned, so that it fetches nothing.

use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer;
use volley_api::{ConfigMap, Offsets, Result, TopicPartition};

use crate::broker_error;
use crate::consumer::consumer_events::{NativeConsumer, list_of};
use crate::fetch::{FetchClient, NativeFetch, NativeSettings};

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
        let fetch = Box::new(NativeFetch::start(NativeSettings::read(properties, config)?)?);
        consumer.set_nonempty_callback(fetch.caller());
        Ok(Self::Native(fetch))
    }

    /// Partitions that the consumer has been assigned.
    pub(super) fn assign(&mut self, consumer: &NativeConsumer, positions: &Offsets) -> Result<()> {
        let Self::Native(fetch) = self else { return Ok(()) };
        pause(consumer, positions.keys())?;
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
    pub(super) fn pause(&mut self, consumer: &NativeConsumer, partitions: &[TopicPartition]) -> Result<()> {
        match self {
            Self::Native(fetch) => fetch.pause(partitions),
            Self::Librdkafka => pause(consumer, partitions)?,
        }
        Ok(())
    }

    /// Undoes [`Messages::pause`].
    pub(super) fn resume(&mut self, consumer: &NativeConsumer, partitions: &[TopicPartition]) -> Result<()> {
        match self {
            Self::Native(fetch) => fetch.resume(partitions),
            Self::Librdkafka if partitions.is_empty() => {}
            Self::Librdkafka => {
                let resumed = consumer.resume(&list_of(partitions));
                resumed.map_err(|error| broker_error::from_client("resume partitions", &error))?;
            }
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

fn pause<'a>(consumer: &NativeConsumer, partitions: impl IntoIterator<Item = &'a TopicPartition>) -> Result<()> {
    let list = list_of(partitions);
    if list.count() == 0 {
        return Ok(());
    }
    consumer.pause(&list).map_err(|error| broker_error::from_client("pause partitions", &error))
}
