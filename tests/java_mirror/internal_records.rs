//! What MirrorMaker writes for itself: which record of one cluster is which of the other, where a group is there, and that
//! it lives.

use std::collections::BTreeMap;

use crate::testbed::Message;

/// A partition of the source's topic.
pub(super) type Partition = (String, i32);

/// That a record of the source's topic is this one of the copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OffsetSync {
    pub(super) partition: Partition,
    pub(super) upstream: i64,
    pub(super) downstream: i64,
}

/// Where a group is in the source's topic, and where in the copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) group: String,
    /// Of the copy.
    pub(super) partition: Partition,
    pub(super) version: i16,
    pub(super) upstream: i64,
    pub(super) downstream: i64,
    pub(super) note: String,
}

/// A sign of life, and the clusters between which it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heartbeat {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) version: i16,
    pub(super) timestamp: i64,
}

impl OffsetSync {
    pub(super) fn of(message: &Message) -> Self {
        let (mut key, mut value) = (Fields::of(&message.key), Fields::of(&message.value));
        let sync = Self { partition: (key.text(), key.i32()), upstream: value.i64(), downstream: value.i64() };
        key.end();
        value.end();
        sync
    }
}

impl Checkpoint {
    pub(super) fn of(message: &Message) -> Self {
        let (mut key, mut value) = (Fields::of(&message.key), Fields::of(&message.value));
        let checkpoint = Self {
            group: key.text(),
            partition: (key.text(), key.i32()),
            version: value.i16(),
            upstream: value.i64(),
            downstream: value.i64(),
            note: value.text(),
        };
        key.end();
        value.end();
        checkpoint
    }
}

impl Heartbeat {
    pub(super) fn of(message: &Message) -> Self {
        let (mut key, mut value) = (Fields::of(&message.key), Fields::of(&message.value));
        let heartbeat = Self { from: key.text(), to: key.text(), version: value.i16(), timestamp: value.i64() };
        key.end();
        value.end();
        heartbeat
    }
}

/// The last message of each key, by key.
pub(super) fn last_of_each_key(messages: &[Message]) -> BTreeMap<Vec<u8>, &Message> {
    messages.iter().map(|message| (message.key.clone().expect("a compacted topic has keys"), message)).collect()
}

/// Fields of Kafka's own protocol, in order.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn of(bytes: &'a Option<Vec<u8>>) -> Self {
        Self(bytes.as_deref().expect("it is not null"))
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn i16(&mut self) -> i16 {
        i16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    fn i32(&mut self) -> i32 {
        i32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    fn i64(&mut self) -> i64 {
        i64::from_be_bytes(self.take(8).try_into().unwrap())
    }

    fn text(&mut self) -> String {
        let length = self.i16();
        String::from_utf8(self.take(length as usize).to_vec()).unwrap()
    }

    fn end(&self) {
        assert!(self.0.is_empty(), "{} more bytes", self.0.len());
    }
}
