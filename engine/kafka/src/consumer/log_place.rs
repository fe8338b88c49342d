//! Places in the logs of partitions, and the offsets that they stand for.

use std::time::Duration;

use rdkafka::Offset;
use tracing::warn;
use volley_api::{Offsets, Result, TopicPartition};

use super::consumer_events::NativeConsumer;
use super::partition_offsets::{KnownOffsets, list_known_offsets};
use crate::connection::Connection;

/// A place in the log of each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPlace {
    /// The first record that the log still has.
    First,
    /// Behind the last record.
    End,
    /// This offset; the first record or the end, where the log does not reach so far.
    Offset(i64),
    /// The first record of this time (milliseconds since 1970) or later; the end, if there is none.
    Time(i64),
}

/// The offset of a place in each partition, without the partitions of which it is not known at the moment.
///
/// # Errors
/// `Retriable` when a broker does not answer in time; `Config` when it refuses.
pub(crate) fn list_known_places(
    consumer: &NativeConsumer,
    connection: &Connection,
    partitions: &[TopicPartition],
    place: LogPlace,
    timeout: Duration,
) -> Result<KnownOffsets> {
    let list =
        |partitions: &[TopicPartition], which| list_known_offsets(consumer, connection, partitions, which, timeout);
    known_places(list, partitions, place)
}

/// The same, with whatever lists the offsets of partitions, as [`list_known_offsets`] does.
///
/// # Errors
/// Those of `list`.
pub(crate) fn known_places(
    list: impl Fn(&[TopicPartition], Offset) -> Result<KnownOffsets>,
    partitions: &[TopicPartition],
    place: LogPlace,
) -> Result<KnownOffsets> {
    let time = match place {
        LogPlace::First => return list(partitions, Offset::Beginning),
        LogPlace::End => return list(partitions, Offset::End),
        LogPlace::Offset(_) => None,
        LogPlace::Time(time) => Some(time),
    };
    let first = list(partitions, Offset::Beginning)?;
    let end = list(&Vec::from_iter(first.offsets.keys().cloned()), Offset::End)?;
    let known = Vec::from_iter(end.offsets.keys().cloned());
    // Kafka knows no time before 1970: negative numbers have other meanings
    let at = match time {
        Some(time) => list(&known, Offset::Offset(time.max(0)))?,
        None => KnownOffsets::default(),
    };
    let mut offsets = Offsets::new();
    for partition in known {
        let (first, end) = (first.offsets[&partition], end.offsets[&partition]);
        let wanted = match place {
            LogPlace::Offset(offset) => Some(offset),
            _ => at.offsets.get(&partition).copied(),
        };
        let Some(wanted) = wanted else { continue };
        offsets.insert(partition.clone(), within_log(&partition, wanted, first, end));
    }
    Ok(KnownOffsets { offsets, trouble: first.trouble.or(end.trouble).or(at.trouble) })
}

/// `wanted`, or the nearest offset that the log has. What was removed is told.
pub(crate) fn within_log(partition: &TopicPartition, wanted: i64, first: i64, end: i64) -> i64 {
    if wanted < first && first > 0 && wanted >= 0 {
        warn!(%partition, wanted, first, "this offset is not in the partition's log any more, its first one is taken");
    }
    wanted.min(end).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_that_the_log_does_not_have_is_the_nearest_that_it_has() {
        let within = |wanted| within_log(&TopicPartition::new("t", 0), wanted, 10, 20);
        assert_eq!([0, 10, 15, 20, 21].map(within), [10, 10, 15, 20, 20]);
    }
}
