//! The thread of the convert stage, which is there only while there is something to convert: most tasks of a large worker are idle.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};
use parking_lot::Mutex;
use volley_api::{Error, Result};

use crate::task::panic_error;
use crate::task::sink::pipeline::{Fetched, Prepared};
use crate::task::sink::sink_chain::SinkChain;

/// After this long without work the thread ends.
const IDLE: Duration = Duration::from_secs(30);

/// What goes through the convert stage comes in here. Clones lead to the same stage.
#[derive(Clone)]
pub(crate) struct Converting {
    input: Sender<Fetched>,
    slot: Arc<Slot>,
}

/// The convert stage, for whoever waits for its end.
pub(crate) struct ConvertThread(Arc<Slot>);

/// See [`ConvertThread::end`].
pub(crate) struct EndedStage(Result<Option<JoinHandle<()>>>);

struct Slot {
    name: String,
    state: Mutex<State>,
}

enum State {
    Resting(Box<Work>),
    Running(JoinHandle<()>),
    /// No thread could be started.
    Failed(Error),
    Ended,
}

/// The stage between its channels.
struct Work {
    stage: SinkChain,
    input: Receiver<Fetched>,
    output: Sender<Prepared>,
    idle: Duration,
}

/// A stage that starts with its first message, on a thread of that name. It holds so many messages that wait.
pub(crate) fn converting(
    name: String,
    stage: SinkChain,
    output: Sender<Prepared>,
    capacity: usize,
) -> (Converting, ConvertThread) {
    converting_while(name, stage, output, capacity, IDLE)
}

fn converting_while(
    name: String,
    stage: SinkChain,
    output: Sender<Prepared>,
    capacity: usize,
    idle: Duration,
) -> (Converting, ConvertThread) {
    let (sender, input) = crossbeam_channel::bounded(capacity);
    let state = Mutex::new(State::Resting(Box::new(Work { stage, input, output, idle })));
    let slot = Arc::new(Slot { name, state });
    (Converting { input: sender, slot: Arc::clone(&slot) }, ConvertThread(slot))
}

impl Converting {
    /// Sends in order.
    ///
    /// # Errors
    /// Gives the message back if there was no room for it in time, or if the stage has ended.
    pub(crate) fn send_timeout(
        &self,
        message: Fetched,
        wait: Duration,
    ) -> std::result::Result<(), SendTimeoutError<Fetched>> {
        self.input.send_timeout(message, wait)?;
        self.slot.wake();
        Ok(())
    }

    /// For tests that read what is sent themselves.
    #[cfg(test)]
    pub(crate) fn to(input: Sender<Fetched>) -> Self {
        Self { input, slot: Arc::new(Slot { name: String::new(), state: Mutex::new(State::Ended) }) }
    }
}

impl ConvertThread {
    /// Ends the stage once all of its input is read, to which nobody adds any more.
    pub(crate) fn end(self) -> EndedStage {
        EndedStage(match std::mem::replace(&mut *self.0.state.lock(), State::Ended) {
            State::Running(thread) => Ok(Some(thread)),
            State::Failed(error) => Err(error),
            // dropped here, so that the stage behind it sees its end
            State::Resting(_) | State::Ended => Ok(None),
        })
    }
}

impl EndedStage {
    /// Waits for the thread.
    ///
    /// # Errors
    /// `Fatal`, after a panic of the stage, and if it could not be started.
    pub(crate) fn join(self) -> Result<()> {
        match self.0? {
            Some(thread) => thread.join().map_err(|panic| panic_error(&*panic)),
            None => Ok(()),
        }
    }
}

impl Slot {
    /// Starts a thread where the stage rests.
    fn wake(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if !matches!(*state, State::Resting(_)) {
            return;
        }
        if let State::Resting(work) = std::mem::replace(&mut *state, State::Ended) {
            let slot = Arc::clone(self);
            let thread = Builder::new().name(self.name.clone()).spawn(move || work.run(&slot));
            *state = match thread {
                Ok(thread) => State::Running(thread),
                Err(error) => State::Failed(Error::fatal("could not start a thread").with_source(error)),
            };
        }
    }
}

impl Work {
    /// Works until there was nothing to do for a while.
    fn run(mut self: Box<Self>, slot: &Slot) {
        loop {
            match self.input.recv_timeout(self.idle) {
                Ok(fetched) => {
                    if !self.stage.pass_on(fetched, &self.output) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    let mut state = slot.state.lock();
                    // who sends wakes the stage behind it, so that no message is overlooked
                    if matches!(*state, State::Running(_)) && self.input.is_empty() {
                        *state = State::Resting(self);
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::task::sink::convert_stage::test_stage;
    use crate::task::sink::pipeline::Signal;

    const SOON: Duration = Duration::from_secs(30);

    fn started(idle: Duration) -> (Converting, ConvertThread, Receiver<Prepared>) {
        let (output, prepared) = crossbeam_channel::bounded(2);
        let stage = SinkChain::OfWorker(Box::new(test_stage()));
        let (converting, thread) = converting_while("convert".to_owned(), stage, output, 2, idle);
        (converting, thread, prepared)
    }

    fn is_resting(thread: &ConvertThread) -> bool {
        matches!(*thread.0.state.lock(), State::Resting(_))
    }

    fn await_rest(thread: &ConvertThread) {
        let deadline = Instant::now() + SOON;
        while !is_resting(thread) {
            assert!(Instant::now() < deadline, "it does not rest");
            std::thread::yield_now();
        }
    }

    fn send(converting: &Converting) {
        assert!(converting.send_timeout(Fetched::Signal(Signal::Commit), SOON).is_ok());
    }

    #[test]
    fn a_stage_has_a_thread_only_while_there_is_work() {
        let (converting, thread, prepared) = started(Duration::from_millis(5));
        for _ in 0..3 {
            assert!(is_resting(&thread));
            send(&converting);
            assert!(matches!(prepared.recv_timeout(SOON), Ok(Prepared::Signal(Signal::Commit))));
            await_rest(&thread);
        }
    }

    #[test]
    fn no_message_is_overlooked_by_a_thread_that_is_about_to_end() {
        let (converting, thread, prepared) = started(Duration::ZERO);
        for number in 0..20_000 {
            send(&converting);
            assert!(prepared.recv_timeout(SOON).is_ok(), "message {number}");
        }
        drop(converting);
        thread.end().join().unwrap();
        assert!(matches!(prepared.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected)));
    }

    #[test]
    fn the_next_stage_sees_the_end_of_one_that_rests_and_of_one_that_works_only_behind_all_messages() {
        let (converting, thread, prepared) = started(SOON);
        drop(converting);
        let ended = thread.end();
        assert!(matches!(prepared.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected)));
        ended.join().unwrap();

        let (converting, thread, prepared) = started(SOON);
        send(&converting);
        send(&converting);
        drop(converting);
        let ended = thread.end();
        for _ in 0..2 {
            assert!(prepared.recv_timeout(SOON).is_ok());
        }
        assert!(matches!(prepared.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected)));
        ended.join().unwrap();
    }

    #[test]
    fn whoever_sends_to_a_stage_that_has_ended_is_told_so() {
        let (converting, _thread, prepared) = started(SOON);
        drop(prepared);
        let deadline = Instant::now() + SOON;
        while converting.send_timeout(Fetched::Signal(Signal::Commit), Duration::from_millis(1)).is_ok() {
            assert!(Instant::now() < deadline, "nothing is told");
        }
    }
}
