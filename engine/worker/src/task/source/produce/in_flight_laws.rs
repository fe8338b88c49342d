//! Laws of what is in flight, against a model that counts the slow way.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use serde_json::{Map, Value, json};
use volley_kafka::Returned;

use crate::task::source::polled_batch::PolledBatch;
use crate::task::source::produce::acknowledgements::BatchId;
use crate::task::source::produce::batch_part::{BatchPart, MessageToken};
use crate::task::source::produce::in_flight::InFlight;
use crate::task::source::source_world::batch;

const PARTITIONS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Failure {
    Skipped,
    Undelivered,
}

#[derive(Clone, Debug)]
enum Event {
    /// The batch that is being sent is closed, and another one of this partition opened.
    OpenBatch {
        partition: usize,
        counts_if_empty: bool,
    },
    /// Another part of the batch that is being sent.
    OpenPart,
    /// So many messages of the part that is being sent.
    Send(usize),
    CloseBatch,
    /// One of the messages with the producer.
    Acknowledge(Index),
    /// All of a part that are with the producer, at once.
    AcknowledgePart(Index),
    Fail(Index, Failure),
    Return(Index),
    /// The first that has come back is sent, or fails.
    Resend(Option<Failure>),
    /// An acknowledgement of a part that is settled.
    AcknowledgeAgain(Index),
    Commit {
        succeeds: bool,
    },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let index = || any::<Index>();
    let failure = || prop_oneof![4 => Just(Failure::Skipped), 1 => Just(Failure::Undelivered)];
    let event = prop_oneof![
        4 => (0..PARTITIONS, any::<bool>())
            .prop_map(|(partition, counts_if_empty)| Event::OpenBatch { partition, counts_if_empty }),
        2 => Just(Event::OpenPart),
        6 => (1..4_usize).prop_map(Event::Send),
        1 => Just(Event::CloseBatch),
        6 => index().prop_map(Event::Acknowledge),
        2 => index().prop_map(Event::AcknowledgePart),
        2 => (index(), failure()).prop_map(|(index, failure)| Event::Fail(index, failure)),
        3 => index().prop_map(Event::Return),
        3 => prop::option::weighted(0.2, failure()).prop_map(Event::Resend),
        1 => index().prop_map(Event::AcknowledgeAgain),
        2 => any::<bool>().prop_map(|succeeds| Event::Commit { succeeds }),
    ];
    prop::collection::vec(event, 0..150)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    WithProducer,
    Returned,
    Settled,
    Undelivered,
}

#[derive(Debug)]
struct Message {
    token: MessageToken,
    /// Its place among the batches.
    batch: usize,
    fate: Fate,
}

#[derive(Debug)]
struct Batch {
    id: BatchId,
    partition: usize,
    counts_if_empty: bool,
    is_closed: bool,
}

/// What should be so, and the subject.
struct Model {
    in_flight: InFlight,
    polled: Arc<PolledBatch>,
    batches: Vec<Batch>,
    /// The part that is being sent, and how many messages of it were sent.
    part: Option<(u32, usize)>,
    messages: Vec<Message>,
    committed: BTreeMap<usize, usize>,
}

fn object(name: &str, number: usize) -> Map<String, Value> {
    [(name.to_owned(), json!(number))].into_iter().collect()
}

fn number(object: &Map<String, Value>, name: &str) -> usize {
    object[name].as_u64().unwrap() as usize
}

impl Model {
    fn new() -> Self {
        Self {
            in_flight: InFlight::default(),
            polled: Arc::new(PolledBatch::new(&batch("a", &[], 0), false)),
            batches: Vec::new(),
            part: None,
            messages: Vec::new(),
            committed: BTreeMap::new(),
        }
    }

    fn apply(&mut self, event: &Event) -> TestCaseResult {
        match event {
            Event::OpenBatch { partition, counts_if_empty } => self.open_batch(*partition, *counts_if_empty),
            Event::OpenPart => self.open_part(),
            Event::Send(messages) => self.send(*messages),
            Event::CloseBatch => self.close_batch(),
            Event::Acknowledge(index) => self.acknowledge(*index)?,
            Event::AcknowledgePart(index) => self.acknowledge_part(*index)?,
            Event::Fail(index, failure) => {
                if let Some(message) = self.with_producer(*index) {
                    self.fail(message, *failure);
                }
            }
            Event::Return(index) => self.give_back(*index)?,
            Event::Resend(failure) => self.resend(*failure)?,
            Event::AcknowledgeAgain(index) => self.acknowledge_again(*index)?,
            Event::Commit { succeeds } => self.commit(*succeeds)?,
        }
        self.check()
    }

    fn open_batch(&mut self, partition: usize, counts_if_empty: bool) {
        self.close_batch();
        let offset = object("o", self.batches.len());
        let id = self.in_flight.open_batch(object("p", partition), offset, counts_if_empty);
        self.batches.push(Batch { id, partition, counts_if_empty, is_closed: false });
    }

    fn close_batch(&mut self) {
        self.close_part();
        if let Some(batch) = self.batches.last_mut() {
            self.in_flight.close_batch(batch.id);
            batch.is_closed = true;
        }
    }

    fn open_part(&mut self) {
        self.close_part();
        let Some(batch) = self.batches.last().filter(|batch| !batch.is_closed) else { return };
        let part = BatchPart {
            batch: batch.id,
            topic: "topic".into(),
            polled: Arc::clone(&self.polled),
            partition: None,
            timestamps: vec![].into(),
            rows: volley_api::RowIndex::all(0),
        };
        self.part = Some((self.in_flight.open_part(part), 0));
    }

    fn close_part(&mut self) {
        if let Some((part, _)) = self.part.take() {
            self.in_flight.close_part(part);
        }
    }

    fn send(&mut self, messages: usize) {
        let Some((part, sent)) = &mut self.part else { return };
        let part = *part;
        for _ in 0..messages {
            let token = MessageToken { part, row: *sent as u32 };
            *sent += 1;
            self.messages.push(Message { token, batch: self.batches.len() - 1, fate: Fate::WithProducer });
        }
        self.in_flight.on_sent(part, messages);
    }

    fn places(&self, is_wanted: impl Fn(&Message) -> bool) -> Vec<usize> {
        (0..self.messages.len()).filter(|place| is_wanted(&self.messages[*place])).collect()
    }

    fn with_producer(&self, index: Index) -> Option<usize> {
        let places = self.places(|message| message.fate == Fate::WithProducer);
        (!places.is_empty()).then(|| *index.get(&places))
    }

    fn acknowledge(&mut self, index: Index) -> TestCaseResult {
        let Some(place) = self.with_producer(index) else { return Ok(()) };
        self.messages[place].fate = Fate::Settled;
        prop_assert!(self.in_flight.on_acknowledged(self.messages[place].token.part, 1).is_some());
        Ok(())
    }

    fn acknowledge_part(&mut self, index: Index) -> TestCaseResult {
        let Some(place) = self.with_producer(index) else { return Ok(()) };
        let part = self.messages[place].token.part;
        let places = self.places(|message| message.fate == Fate::WithProducer && message.token.part == part);
        for place in &places {
            self.messages[*place].fate = Fate::Settled;
        }
        prop_assert!(self.in_flight.on_acknowledged(part, places.len()).is_some());
        Ok(())
    }

    fn fail(&mut self, place: usize, failure: Failure) {
        let message = &mut self.messages[place];
        match failure {
            Failure::Skipped => {
                message.fate = Fate::Settled;
                self.in_flight.on_skipped(message.token);
            }
            Failure::Undelivered => {
                message.fate = Fate::Undelivered;
                self.in_flight.on_undelivered(message.token);
            }
        }
    }

    fn give_back(&mut self, index: Index) -> TestCaseResult {
        let Some(place) = self.with_producer(index) else { return Ok(()) };
        let message = &mut self.messages[place];
        message.fate = Fate::Returned;
        let value = u64::from(message.token).to_be_bytes().to_vec();
        let content = Returned { key: None, value: Some(value), headers: Vec::new() };
        prop_assert!(self.in_flight.on_returned(message.token, Box::new(content)).is_some());
        Ok(())
    }

    fn resend(&mut self, failure: Option<Failure>) -> TestCaseResult {
        let Some(message) = self.in_flight.first_returned() else { return Ok(()) };
        let value = u64::from(message.token).to_be_bytes();
        prop_assert_eq!(message.outgoing().value, Some(&value[..]));
        let place = self.messages.iter().position(|other| other.token == message.token).unwrap();
        match failure {
            Some(failure) => self.fail(place, failure),
            None => {
                self.messages[place].fate = Fate::WithProducer;
                self.in_flight.on_resent(message.token);
            }
        }
        Ok(())
    }

    fn acknowledge_again(&mut self, index: Index) -> TestCaseResult {
        let is_in_flight = |part: u32| {
            let of_part = |message: &Message| {
                message.token.part == part && matches!(message.fate, Fate::WithProducer | Fate::Returned)
            };
            self.messages.iter().any(of_part)
        };
        let places = self.places(|message| !is_in_flight(message.token.part));
        if !places.is_empty() {
            let part = self.messages[*index.get(&places)].token.part;
            prop_assert!(self.in_flight.on_acknowledged(part, 1).is_none());
        }
        Ok(())
    }

    /// The last batch that counts in the longest settled prefix of a partition.
    fn committable(&self, partition: usize) -> Option<usize> {
        let of_batch = |place: usize| self.messages.iter().filter(move |message| message.batch == place);
        let is_settled =
            |place: usize| self.batches[place].is_closed && of_batch(place).all(|one| one.fate == Fate::Settled);
        let of_partition = (0..self.batches.len()).filter(|place| self.batches[*place].partition == partition);
        let prefix = of_partition.take_while(|place| is_settled(*place));
        prefix.filter(|place| self.batches[*place].counts_if_empty || of_batch(*place).next().is_some()).last()
    }

    fn commit(&mut self, succeeds: bool) -> TestCaseResult {
        let taken = self.in_flight.take_committable();
        let found: BTreeMap<_, _> = taken.iter().map(|(p, o)| (number(p, "p"), number(o, "o"))).collect();
        prop_assert_eq!(found.len(), taken.len());
        for partition in 0..PARTITIONS {
            let committed = self.committed.get(&partition).copied();
            let expected = self.committable(partition).filter(|batch| Some(*batch) > committed);
            prop_assert_eq!(found.get(&partition).copied(), expected);
        }
        if succeeds {
            self.committed.extend(found);
        } else {
            self.in_flight.restore(taken);
        }
        Ok(())
    }

    fn check(&self) -> TestCaseResult {
        let count = |fate: Fate| self.messages.iter().filter(|message| message.fate == fate).count();
        let outstanding = self.messages.len() - count(Fate::Settled);
        prop_assert_eq!(self.in_flight.outstanding(), outstanding);
        prop_assert_eq!(self.in_flight.is_hopeless(), count(Fate::WithProducer) == 0);
        prop_assert_eq!(self.in_flight.has_returned(), count(Fate::Returned) > 0);
        let returned = self.messages.iter().filter(|message| message.fate == Fate::Returned);
        let first = self.in_flight.first_returned().map(|message| message.token);
        prop_assert_eq!(first, returned.map(|message| message.token).min(), "they are sent again in order");
        let is_settled = outstanding == 0 && self.batches.iter().all(|batch| batch.is_closed);
        prop_assert_eq!(self.in_flight.is_settled(), is_settled);
        Ok(())
    }

    /// Everything that has not failed is sent, sent again and acknowledged.
    fn finish(&mut self) -> TestCaseResult {
        self.close_batch();
        while self.in_flight.has_returned() {
            self.resend(None)?;
        }
        for message in self.messages.iter_mut().filter(|message| message.fate == Fate::WithProducer) {
            message.fate = Fate::Settled;
            prop_assert!(self.in_flight.on_acknowledged(message.token.part, 1).is_some());
        }
        self.commit(true)?;
        prop_assert!(self.in_flight.is_hopeless());
        prop_assert!(self.messages.iter().all(|message| self.in_flight.part(message.token.part).is_none()));
        self.check()
    }
}

proptest! {
    /// Law 1 for sources, whatever the producer says of each message, and in whatever order.
    #[test]
    fn an_offset_is_committable_once_its_batch_and_all_before_it_are_settled_and_no_message_is_lost_or_counted_twice(
        events in events()
    ) {
        let mut model = Model::new();
        for event in &events {
            model.apply(event)?;
        }
        model.finish()?;
    }
}
