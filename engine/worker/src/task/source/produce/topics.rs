//! The topics of a source task: which are known to exist, which were lost, and the creation of those that are new.
//!
//! A topic takes messages once it is known. [`Topics::step`] leads there; it never waits long, so that its caller can poll
//! deliveries between two steps:
//!
//! ```text
//!            is it to be created?              does the broker know it?
//!  new ──► creating (a thread of its own) ──► awaiting ──► known
//!             ▲         │ retriable              ▲           │ a message comes back
//!             └─ paused ◄┘                       └── lost ◄──┘
//! ```
//!
//! A lost topic is not created again by the connector's rules: that is for whoever deleted it, or for the broker.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::warn;
use volley_api::{Error, Result};

use crate::connector_task_id::ConnectorTaskId;
use crate::task::source::produce::record_producer::RecordProducer;
use crate::task::source::produce::topic_creator::TopicCreator;
use crate::task::source::produce::topic_wait::TopicWait;

/// Time that the broker has to answer whether a topic exists.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Time between two looks at whether a topic has been created.
const CREATION_POLL: Duration = Duration::from_millis(5);
/// Time between a creation that failed and the next try.
const CREATION_RETRY: Duration = Duration::from_millis(500);

/// How far a topic is.
#[derive(Debug)]
pub(crate) enum TopicStep {
    /// It takes messages.
    Ready,
    /// It does not exist yet: the next step is due after this time, or sooner.
    WaitAtMost(Duration),
    /// The broker refuses it, which fails each message to it.
    Refused(Error),
}

/// A new or lost topic on its way to be known.
#[derive(Debug)]
struct Preparation {
    topic: Arc<str>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The cluster is asked on a thread of its own: the answer may take a minute. A stop does not wait for it.
    Creating(JoinHandle<Result<()>>),
    /// The creation failed and is tried again.
    Paused { until: Instant },
    /// The broker is asked until it knows the topic.
    Awaiting(TopicWait),
}

/// The topics that a source task sends to.
pub(crate) struct Topics {
    id: ConnectorTaskId,
    /// `None`: topics are left to the broker.
    creator: Option<Arc<TopicCreator>>,
    known: HashSet<Arc<str>>,
    /// They were known once.
    lost: HashSet<Arc<str>>,
    /// There is one at a time.
    preparation: Option<Preparation>,
}

impl Topics {
    /// No topic is known. Without `creator` topics are left to the broker.
    pub(crate) fn new(id: ConnectorTaskId, creator: Option<Arc<TopicCreator>>) -> Self {
        Self { id, creator, known: HashSet::new(), lost: HashSet::new(), preparation: None }
    }

    /// Whether the topic takes messages; if not, what can be done for it now is done. The producer is asked for at most
    /// a second.
    ///
    /// # Errors
    /// What the task fails with: the topic cannot be created.
    pub(crate) fn step(&mut self, topic: &Arc<str>, producer: &dyn RecordProducer) -> Result<TopicStep> {
        if self.known.contains(topic) {
            return Ok(TopicStep::Ready);
        }
        let mut phase = match self.preparation.take() {
            Some(preparation) if preparation.topic == *topic => preparation.phase,
            _ => self.first_phase(topic)?,
        };
        loop {
            phase = match phase {
                Phase::Creating(thread) if thread.is_finished() => self.after_creation(topic, thread)?,
                Phase::Creating(_) => return Ok(self.pause(topic, phase, CREATION_POLL)),
                Phase::Paused { until } => {
                    let left = until.saturating_duration_since(Instant::now());
                    if !left.is_zero() {
                        return Ok(self.pause(topic, phase, left));
                    }
                    self.first_phase(topic)?
                }
                Phase::Awaiting(wait) => return Ok(self.ask(topic, wait, producer)),
            };
        }
    }

    /// The topic is not there any more. Returns whether it was known until now.
    pub(crate) fn on_lost(&mut self, topic: &Arc<str>) -> bool {
        let was_known = self.known.remove(topic);
        if was_known {
            self.lost.insert(Arc::clone(topic));
        }
        was_known
    }

    fn pause(&mut self, topic: &Arc<str>, phase: Phase, wait: Duration) -> TopicStep {
        self.preparation = Some(Preparation { topic: Arc::clone(topic), phase });
        TopicStep::WaitAtMost(wait)
    }

    fn first_phase(&self, topic: &Arc<str>) -> Result<Phase> {
        match &self.creator {
            Some(creator) if !self.lost.contains(topic) => self.start_creation(creator, topic),
            _ => Ok(Phase::Awaiting(TopicWait::new())),
        }
    }

    fn start_creation(&self, creator: &Arc<TopicCreator>, topic: &Arc<str>) -> Result<Phase> {
        let (creator, name) = (Arc::clone(creator), Arc::clone(topic));
        std::thread::Builder::new()
            .name(format!("create-{}", self.id))
            .spawn(move || creator.ensure(&name))
            .map(Phase::Creating)
            .map_err(|error| Error::fatal("could not start a thread").with_source(error))
    }

    fn after_creation(&self, topic: &Arc<str>, thread: JoinHandle<Result<()>>) -> Result<Phase> {
        let panicked = |_| Err(Error::fatal(format!("the creation of topic `{topic}` panicked")));
        match thread.join().unwrap_or_else(panicked) {
            Ok(()) => Ok(Phase::Awaiting(TopicWait::new())),
            Err(error) if error.is_retriable() => {
                warn!(task = %self.id, %topic, error = %error.trace(), "could not create the topic, trying again");
                Ok(Phase::Paused { until: Instant::now() + CREATION_RETRY })
            }
            Err(error) => Err(error),
        }
    }

    /// Asks the broker, however often it takes, as Kafka's Java producer does.
    fn ask(&mut self, topic: &Arc<str>, mut wait: TopicWait, producer: &dyn RecordProducer) -> TopicStep {
        match producer.has_topic(topic, ANSWER_TIMEOUT) {
            Ok(true) => {
                self.lost.remove(topic);
                self.known.insert(Arc::clone(topic));
                return TopicStep::Ready;
            }
            Ok(false) if wait.takes_reminder() => {
                warn!(task = %self.id, %topic, "the topic does not exist, waiting until it is created");
            }
            Ok(false) => {}
            // the client says by itself that it cannot reach the broker
            Err(error) if error.is_retriable() => {}
            Err(error) => return TopicStep::Refused(error),
        }
        let next = wait.next_wait();
        self.pause(topic, Phase::Awaiting(wait), next)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use volley_api::testing::config_map;
    use volley_kafka::NewTopic;

    use super::*;
    use crate::connector_config::TopicCreation;
    use crate::task::source::fake_producer::FakeProducer;
    use crate::task::source::produce::topic_creator::TopicAdmin;
    use crate::task::source::source_world::{World, world};
    use crate::testing::Gate;

    type Answer = fn() -> Result<bool>;

    /// Answers each creation with the next of these, once its gate is open.
    struct FakeAdmin {
        gate: Option<Arc<Gate>>,
        answers: Mutex<VecDeque<Answer>>,
    }

    impl TopicAdmin for FakeAdmin {
        fn exists(&self, _: &str) -> Result<bool> {
            Ok(false)
        }

        fn create(&self, _: &NewTopic) -> Result<bool> {
            if let Some(gate) = &self.gate {
                gate.pass();
            }
            (self.answers.lock().unwrap().pop_front().unwrap())()
        }
    }

    fn id() -> ConnectorTaskId {
        ConnectorTaskId { connector: "c".into(), task: 0 }
    }

    fn creating(gate: Option<Arc<Gate>>, answers: &[Answer]) -> Topics {
        let config = config_map(&[
            ("topic.creation.default.replication.factor", "-1"),
            ("topic.creation.default.partitions", "1"),
        ]);
        let creation = TopicCreation::parse(&config).unwrap().unwrap();
        let admin = FakeAdmin { gate, answers: Mutex::new(answers.iter().copied().collect()) };
        Topics::new(id(), Some(Arc::new(TopicCreator { id: id(), creation, admin: Box::new(admin) })))
    }

    fn topic() -> Arc<str> {
        "topic".into()
    }

    /// Steps until there is nothing to wait for.
    fn outcome(topics: &mut Topics, world: &Arc<World>) -> Result<TopicStep> {
        loop {
            match topics.step(&topic(), &FakeProducer::new(world))? {
                TopicStep::WaitAtMost(wait) => std::thread::sleep(wait),
                step => return Ok(step),
            }
        }
    }

    #[test]
    fn a_topic_that_exists_is_ready_at_once_and_a_lost_one_is_asked_for_again() {
        let world = world(true);
        let mut topics = Topics::new(id(), None);
        assert!(matches!(topics.step(&topic(), &FakeProducer::new(&world)), Ok(TopicStep::Ready)));
        world.change(|state| state.missing_topics.insert("topic".into()));
        assert!(matches!(topics.step(&topic(), &FakeProducer::new(&world)), Ok(TopicStep::Ready)), "it is known");
        assert!(topics.on_lost(&topic()));
        assert!(!topics.on_lost(&topic()), "it is lost already");
        assert!(matches!(topics.step(&topic(), &FakeProducer::new(&world)), Ok(TopicStep::WaitAtMost(_))));
        world.change(|state| state.missing_topics.clear());
        assert!(matches!(topics.step(&topic(), &FakeProducer::new(&world)), Ok(TopicStep::Ready)));
    }

    #[test]
    fn a_creation_is_not_waited_for_in_a_step_and_a_lost_topic_is_not_created_again() {
        let world = world(true);
        let gate = Gate::named("a_creation_is_not_waited_for");
        let mut topics = creating(Some(Arc::clone(&gate)), &[|| Ok(true)]);
        assert!(matches!(topics.step(&topic(), &FakeProducer::new(&world)), Ok(TopicStep::WaitAtMost(_))));
        gate.open();
        assert!(matches!(outcome(&mut topics, &world), Ok(TopicStep::Ready)));
        topics.on_lost(&topic());
        // a second creation would have no answer
        assert!(matches!(outcome(&mut topics, &world), Ok(TopicStep::Ready)));
    }

    #[test]
    fn a_creation_that_may_succeed_later_is_tried_again_and_another_failure_is_the_end() {
        let mut topics = creating(None, &[|| Err(Error::retriable("later")), || Ok(true)]);
        assert!(matches!(outcome(&mut topics, &world(true)), Ok(TopicStep::Ready)));
        let mut topics = creating(None, &[|| Err(Error::config("never"))]);
        assert!(outcome(&mut topics, &world(true)).is_err());
    }

    #[test]
    fn a_creation_that_panics_is_an_error() {
        let mut topics = creating(None, &[|| panic!("told to panic")]);
        let error = outcome(&mut topics, &world(true)).unwrap_err();
        assert_eq!(error.to_string(), "the creation of topic `topic` panicked");
    }
}
