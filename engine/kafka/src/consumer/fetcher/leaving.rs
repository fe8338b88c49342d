//! How a consumer leaves its group, in any phase of joining.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use tracing::{debug, warn};

use super::Fetcher;
use crate::consumer::consumer_events::NativeConsumer;
use crate::poll_time::poll_time;

/// How long to wait for a consumer that has not joined yet to do so. It needs an answer or two of a broker.
const FIRST_JOIN: Duration = Duration::from_millis(500);

/// How long to wait for the answer to a first join. A reachable broker answers at once.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

/// How long to wait for the last rebalance, which is behind the messages that were fetched. Mostly it takes a few milliseconds.
const LAST_REBALANCE: Duration = Duration::from_secs(1);

/// How long to wait for librdkafka's own close. Mostly it takes a few milliseconds.
const OWN_WAY: Duration = Duration::from_millis(100);

/// How long the close may take once the coordinator has removed the member.
const FORGOTTEN: Duration = Duration::from_secs(1);

const LOOK: Duration = Duration::from_millis(10);

impl Fetcher {
    /// Closes librdkafka's consumer, and makes sure that the coordinator removes the member.
    pub(super) fn leave_group(&self, consumer: &NativeConsumer) {
        let Some(departure) = &self.departure else { return };
        let client = self.connection.client();
        let membership = &consumer.context().membership;
        // A join could go out between a look and the close: nobody would read its answer.
        serve_while(consumer, FIRST_JOIN, || membership.is_about_to_join());
        // The answer to a first join creates a member whose id only the answer contains. A closing librdkafka does not
        // read that answer.
        serve_while(consumer, FIRST_ANSWER, || membership.awaits_member_id());
        // A close goes on without the answer to a rebalance that has begun before it. Who answers just when it ends waits without
        // end: librdkafka drops what it is asked then. So the last rebalance is answered before.
        consumer.unsubscribe();
        serve_all(consumer, LAST_REBALANCE);
        if let Err(error) = consumer.close_queue() {
            debug!(client, %error, "the consumer cannot be closed in order");
            return;
        }
        serve_while(consumer, OWN_WAY, || !consumer.closed());
        if consumer.closed() {
            return;
        }
        let Some(member_id) = membership.member_id() else { return };
        match departure.leave(&member_id) {
            Ok(()) => serve_while(consumer, FORGOTTEN, || !consumer.closed()),
            Err(error) => warn!(client, member_id, %error, "could not leave the group, it will notice"),
        }
    }
}

/// Serves librdkafka until it has nothing more to say; drops messages.
fn serve_all(consumer: &NativeConsumer, at_most: Duration) {
    let deadline = Instant::now() + at_most;
    let said = || (consumer.context().lines(), consumer.context().carried_out());
    let mut before = said();
    while consumer.poll(poll_time(LOOK)).is_some() || said() != before {
        if Instant::now() >= deadline {
            return;
        }
        before = said();
    }
}

/// Serves librdkafka while a condition holds; drops messages.
fn serve_while(consumer: &NativeConsumer, at_most: Duration, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + at_most;
    while is_so() && Instant::now() < deadline {
        drop(consumer.poll(poll_time(LOOK)));
    }
}
