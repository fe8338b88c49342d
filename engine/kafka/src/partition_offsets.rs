//! Asking where partitions begin and end.

use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use volley_api::{Error, Offsets, Result, TopicPartition};

use crate::broker_error;
use crate::committer::offsets_in;
use crate::connection::Connection;
use crate::consumer_events::{NativeConsumer, list_of};

/// The first (`Offset::Beginning`) or the next (`Offset::End`) offset of each partition: one request to each broker.
///
/// # Errors
/// `Retriable` when a broker does not say in time; `Config` when it refuses to.
pub(crate) fn list_offsets(
    consumer: &NativeConsumer,
    connection: &Connection,
    partitions: &[TopicPartition],
    which: Offset,
    timeout: Duration,
) -> Result<Offsets> {
    if partitions.is_empty() {
        return Ok(Offsets::new());
    }
    // Kafka's ListOffsets takes -2 and -1 for a timestamp, and answers with the first and the next offset.
    let mut list = list_of(partitions);
    list.set_all_offsets(which).map_err(|error| broker_error::from_client("ask for offsets", &error))?;
    let outcome = consumer.offsets_for_times(list, timeout);
    let list = connection.outcome("read the partitions' offsets", outcome)?;
    let offsets = offsets_in(&list, "read the offsets")?;
    match partitions.iter().find(|partition| !offsets.contains_key(partition)) {
        None => Ok(offsets),
        Some(missing) => Err(Error::retriable(format!("the broker did not say the offsets of {missing}"))),
    }
}
