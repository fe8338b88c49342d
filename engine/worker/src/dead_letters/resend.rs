//! What is sent of a dead letter, and where to. Pure: no I/O.

use std::fmt;
use std::sync::Arc;

use volley_api::RawHeader;

use super::error_headers::is_about_rejection;
use super::letter::DeadLetter;

/// The header of a replayed record that says which dead letter it was.
pub const REPLAYED_FROM: &str = "volley.dlq.replayed.from";

/// What stands for the name of a header that is not UTF-8: the consumer has lost it.
const LOST_NAME: &str = "\u{fffd}";

/// Where letters are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// The topic; `None` = the one that each came from.
    pub topic: Option<String>,
    /// Whether the partition is the one that each came from, and not by the key's hash.
    pub same_partition: bool,
}

/// A record to be sent: the bytes of the original, without the headers of its rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resend<'a> {
    /// Topic.
    pub topic: String,
    /// Partition; `None` = by the key's hash.
    pub partition: Option<i32>,
    /// Time, ms since 1970-01-01 UTC.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: Option<&'a [u8]>,
    /// Headers, in order.
    pub headers: Vec<RawHeader>,
}

/// Why a letter is not sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It does not say where it came from.
    NoTopic,
    /// It is the record of a source, as JSON.
    OfSource,
    /// It came from the topic in which it is.
    SameTopic,
    /// It does not say which partition it came from.
    NoPartition,
    /// A header's name is lost.
    LostHeader,
    /// The topic is not there.
    NoSuchTopic(String),
    /// The topic does not have the partition.
    NoSuchPartition(String),
    /// Kafka did not take it, for this reason.
    NotTaken(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTopic => f.write_str(
                "no header says which topic it came from (errors.deadletterqueue.context.headers.enable was not true): give \
                 --to-topic",
            ),
            Self::OfSource => f.write_str(
                "it is the record of a source, written as JSON with its schema: not the bytes that the source's converter would \
                 have written to its topic. Restart the source from an earlier offset, or give --to-topic for the JSON",
            ),
            Self::SameTopic => f.write_str("it came from this topic itself, and would only come back: give --to-topic"),
            Self::NoPartition => f.write_str("no header says which partition it came from: leave out --same-partition"),
            Self::LostHeader => f.write_str("the name of one of its headers is not UTF-8, and cannot be sent as it is"),
            Self::NoSuchTopic(topic) => write!(f, "topic {topic} does not exist: create it, or give --to-topic"),
            Self::NoSuchPartition(topic) => {
                write!(f, "topic {topic} does not have the partition that it came from: leave out --same-partition")
            }
            Self::NotTaken(reason) => f.write_str(reason),
        }
    }
}

impl<'a> Resend<'a> {
    /// What is sent of a letter.
    pub(crate) fn of(letter: &DeadLetter<'a>, to: &Destination) -> Result<Self, Refusal> {
        let reason = &letter.reason;
        if reason.is_of_source && to.topic.is_none() {
            return Err(Refusal::OfSource);
        }
        let Some(topic) = to.topic.as_ref().or(reason.topic.as_ref()) else { return Err(Refusal::NoTopic) };
        if **topic == *letter.partition.topic {
            return Err(Refusal::SameTopic);
        }
        let partition = match (to.same_partition, reason.partition) {
            (false, _) => None,
            (true, Some(partition)) => Some(partition),
            (true, None) => return Err(Refusal::NoPartition),
        };
        let is_lost = |header: &RawHeader| &*header.name == LOST_NAME && header.value.is_none();
        if letter.headers.iter().any(is_lost) {
            return Err(Refusal::LostHeader);
        }
        let is_own = |header: &&RawHeader| !is_about_rejection(header) && &*header.name != REPLAYED_FROM;
        let mut headers: Vec<RawHeader> = letter.headers.iter().filter(is_own).cloned().collect();
        headers.push(RawHeader { name: Arc::from(REPLAYED_FROM), value: Some(letter.place().into_bytes()) });
        let (topic, timestamp) = (topic.clone(), letter.timestamp);
        Ok(Self { topic, partition, timestamp, key: letter.key, value: letter.value, headers })
    }
}

#[cfg(test)]
mod tests {
    use volley_api::RawBatch;
    use volley_api::testing::raw_batch;

    use super::*;
    use crate::dead_letters::error_headers::header;

    fn own(name: &str, value: &[u8]) -> RawHeader {
        RawHeader { name: Arc::from(name), value: Some(value.to_vec()) }
    }

    fn batch(headers: Vec<RawHeader>) -> RawBatch {
        let mut batch = raw_batch("dead", 2, 5, [Some([0xff, 0x00].as_slice())]);
        batch.headers = Some(Arc::new(vec![headers]));
        batch
    }

    fn refusal(headers: Vec<RawHeader>, to: &Destination) -> Refusal {
        Resend::of(&DeadLetter::at(&batch(headers), 0), to).unwrap_err()
    }

    fn from(topic: &str) -> Vec<RawHeader> {
        vec![header("topic", topic.to_owned()), header("partition", "7".to_owned())]
    }

    #[test]
    fn the_original_is_sent_with_its_own_headers_in_order_and_where_it_was() {
        let mut headers = vec![own("b", &[0xfe]), own("a", b"1"), own(REPLAYED_FROM, b"dead-2@1")];
        headers.extend(from("orders"));
        headers.push(own("a", b"2"));
        let batch = batch(headers);
        let letter = DeadLetter::at(&batch, 0);
        let resend = Resend::of(&letter, &Destination::default()).unwrap();
        assert_eq!((resend.topic.as_str(), resend.partition, resend.key), ("orders", None, None));
        assert_eq!(resend.value, Some([0xff, 0x00].as_slice()));
        let expected = [own("b", &[0xfe]), own("a", b"1"), own("a", b"2"), own(REPLAYED_FROM, b"dead-2@5")];
        assert_eq!(resend.headers, expected);
        let to = Destination { topic: Some("retry".to_owned()), same_partition: true };
        let resend = Resend::of(&letter, &to).unwrap();
        assert_eq!((resend.topic.as_str(), resend.partition), ("retry", Some(7)));
    }

    #[test]
    fn what_cannot_be_put_back_as_it_was_is_refused() {
        let back = Destination::default();
        let same = Destination { same_partition: true, ..Destination::default() };
        assert_eq!(refusal(vec![], &back), Refusal::NoTopic);
        assert_eq!(refusal(from("dead"), &back), Refusal::SameTopic);
        assert_eq!(refusal(vec![header("topic", "t".to_owned())], &same), Refusal::NoPartition);
        let lost = RawHeader { name: Arc::from(LOST_NAME), value: None };
        assert_eq!(refusal([from("t"), vec![lost]].concat(), &back), Refusal::LostHeader);
        let of_source = vec![header("topic", "t".to_owned()), header("source.partition", "{}".to_owned())];
        assert_eq!(refusal(of_source.clone(), &back), Refusal::OfSource);
        let elsewhere = Destination { topic: Some("json".to_owned()), same_partition: false };
        let batch = batch(of_source);
        assert_eq!(Resend::of(&DeadLetter::at(&batch, 0), &elsewhere).unwrap().topic, "json");
    }
}
