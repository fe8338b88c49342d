//! Writers of one name, or with claims to one, with crashes, lost answers and calls that happen later: what is seen is
//! one file at most, it is complete and has its own name and label, and who is told that a file has been created has
//! created it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use proptest::prelude::*;

use super::creation::{Creation, create};
use super::file_system::{Entry, FileSystem, Outcome};
use super::label_claim::{claimed_file, label};
use crate::store::Contents;
use crate::store::storage::StorageError;

const TARGET: &str = "/r/t/f.json";
const WRITERS: usize = 3;
/// How many different names the writers would give their files, where these are not the one that they claim.
const NAMES: usize = 3;

/// How files come to their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// Without claims.
    Unclaimed,
    /// Each claims its own name.
    Own,
    /// All claim one name, and have others.
    Claimed,
}

/// What attempt `number` would call its file.
fn target(number: usize, naming: Naming) -> String {
    match naming {
        Naming::Claimed => format!("/r/t/f+{}.json", number % NAMES),
        Naming::Unclaimed | Naming::Own => TARGET.to_owned(),
    }
}

/// How the next call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Succeeds,
    /// It has no effect, and an error is the answer.
    Fails,
    /// It has its effect, and an error is the answer.
    AnswerIsLost,
    /// An error is the answer, and it has its effect later.
    IsLate,
}

#[derive(Clone, Debug)]
enum Call {
    Write(String, Bytes),
    Rename(String, String),
    Remove(String),
}

#[derive(Debug)]
struct State {
    files: BTreeMap<String, Bytes>,
    fate: Fate,
    late: Vec<Call>,
}

/// Files in memory; each call waits for its turn.
#[derive(Clone, Debug)]
struct MemoryFiles(Arc<Mutex<State>>);

fn failed() -> StorageError {
    StorageError::Unavailable { path: String::new(), reason: "simulated".to_owned() }
}

fn perform(files: &mut BTreeMap<String, Bytes>, call: Call) -> Outcome<()> {
    match call {
        Call::Write(path, contents) => {
            files.insert(path, contents);
        }
        Call::Rename(from, to) => {
            if !files.contains_key(&from) {
                return Err(StorageError::NotFound { path: from, reason: String::new() });
            }
            if files.contains_key(&to) {
                return Err(StorageError::AlreadyExists { path: to });
            }
            let contents = files.remove(&from).unwrap();
            files.insert(to, contents);
        }
        Call::Remove(path) => {
            files.remove(&path);
        }
    }
    Ok(())
}

impl MemoryFiles {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State { files: BTreeMap::new(), fate: Fate::Succeeds, late: Vec::new() })))
    }

    async fn turn(&self) {
        let mut waited = false;
        poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    async fn change(&self, call: Call) -> Outcome<()> {
        self.turn().await;
        let state = &mut *self.0.lock();
        match state.fate {
            Fate::Succeeds => perform(&mut state.files, call),
            Fate::Fails => Err(failed()),
            Fate::AnswerIsLost => perform(&mut state.files, call).and(Err(failed())),
            Fate::IsLate => {
                state.late.push(call);
                Err(failed())
            }
        }
    }

    async fn look<T>(&self, look: impl FnOnce(&BTreeMap<String, Bytes>) -> T) -> Outcome<T> {
        self.turn().await;
        let state = self.0.lock();
        if state.fate == Fate::Succeeds { Ok(look(&state.files)) } else { Err(failed()) }
    }
}

impl FileSystem for MemoryFiles {
    async fn entry(&self, path: &str) -> Outcome<Option<Entry>> {
        self.look(|files| files.get(path).map(|contents| Entry::File(contents.len() as u64))).await
    }

    async fn read(&self, path: &str) -> Outcome<Option<Bytes>> {
        self.look(|files| files.get(path).cloned()).await
    }

    async fn make_directory(&self, _: &str) -> Outcome<()> {
        Ok(())
    }

    async fn write(&self, path: &str, contents: Contents) -> Outcome<()> {
        self.change(Call::Write(path.to_owned(), Bytes::from_static(b"half"))).await?;
        self.change(Call::Write(path.to_owned(), contents.bytes())).await
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.change(Call::Rename(from.to_owned(), to.to_owned())).await
    }

    async fn remove(&self, path: &str) -> Outcome<()> {
        self.change(Call::Remove(path.to_owned())).await
    }

    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// One attempt of a writer.
struct Attempt {
    /// The contents of its file, and its label.
    name: String,
    target: String,
    work: Pin<Box<dyn Future<Output = Outcome<()>>>>,
}

fn attempt(files: &MemoryFiles, number: usize, naming: Naming) -> Attempt {
    let (files, name, target) = (files.clone(), format!("attempt {number:06}"), target(number, naming));
    let (text, temporary, path) = (name.clone(), format!("/r/.volley-tmp/{number}.tmp"), target.clone());
    let work = async move {
        let label = (naming != Naming::Unclaimed).then_some(text.as_str());
        let file = Creation { target: &path, claim: TARGET, temporary: &temporary, label };
        let outcome = create(&files, file, Contents::from(text.clone())).await;
        if outcome.is_err() {
            let _ = files.remove(&temporary).await;
        }
        outcome
    };
    Attempt { name, target, work: Box::pin(work) }
}

#[derive(Clone, Debug)]
enum Step {
    Call {
        writer: usize,
        fate: Fate,
    },
    /// The writer is gone, and another takes its place.
    Crash {
        writer: usize,
    },
    /// What was late happens.
    Late {
        which: usize,
    },
    /// All temporary files of a writer's attempts are removed by its successor.
    Sweep,
    /// A user removes the file that is seen.
    Delete,
}

fn step() -> impl Strategy<Value = Step> {
    let fate = prop_oneof![
        12 => Just(Fate::Succeeds),
        1 => Just(Fate::Fails),
        1 => Just(Fate::AnswerIsLost),
        1 => Just(Fate::IsLate),
    ];
    prop_oneof![
        30 => (0..WRITERS, fate).prop_map(|(writer, fate)| Step::Call { writer, fate }),
        1 => (0..WRITERS).prop_map(|writer| Step::Crash { writer }),
        3 => (0..9usize).prop_map(|which| Step::Late { which }),
        1 => Just(Step::Sweep),
        1 => Just(Step::Delete),
    ]
}

/// Runs what never has to wait for others.
fn at_once<T>(files: &MemoryFiles, work: impl Future<Output = T>) -> T {
    files.0.lock().fate = Fate::Succeeds;
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// The path and the contents of the file that is seen.
fn visible(files: &MemoryFiles) -> Option<(String, String)> {
    let state = files.0.lock();
    let mut seen = state.files.iter().filter(|(path, _)| path.starts_with("/r/t/f"));
    let (path, contents) = seen.next()?;
    assert_eq!(seen.next(), None, "beside {path}");
    Some((path.clone(), String::from_utf8(contents.to_vec()).unwrap()))
}

/// That what is seen has its own label.
fn check_label(files: &MemoryFiles, naming: Naming) {
    let found = visible(files);
    if naming == Naming::Claimed {
        return assert_eq!(at_once(files, claimed_file(files, TARGET)).unwrap(), found);
    }
    let found_label = at_once(files, label(files, TARGET));
    match found {
        Some((_, contents)) if naming == Naming::Own => assert_eq!(found_label.unwrap(), Some(contents)),
        Some((_, contents)) => assert!(contents.starts_with("attempt ") && found_label.unwrap().is_none()),
        None => assert!(matches!(found_label, Err(StorageError::NotFound { .. }))),
    }
}

fn simulate(steps: &[Step], naming: Naming) {
    let files = MemoryFiles::new();
    let mut attempts = WRITERS;
    let mut writers: Vec<_> = (0..WRITERS).map(|number| attempt(&files, number, naming)).collect();
    let mut next = |writer: &mut Attempt| {
        *writer = attempt(&files, attempts, naming);
        attempts += 1;
    };
    for step in steps {
        match *step {
            Step::Call { writer, fate } => {
                files.0.lock().fate = fate;
                let writer = &mut writers[writer];
                if let Poll::Ready(outcome) = writer.work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    match outcome {
                        Ok(()) => assert_eq!(visible(&files), Some((writer.target.clone(), writer.name.clone()))),
                        Err(StorageError::AlreadyExists { .. } | StorageError::Unavailable { .. }) => {}
                        Err(StorageError::NotFound { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                    next(writer);
                }
            }
            Step::Crash { writer } => next(&mut writers[writer]),
            Step::Late { which } => {
                let state = &mut *files.0.lock();
                if which < state.late.len() {
                    let call = state.late.remove(which);
                    let _ = perform(&mut state.files, call);
                }
            }
            Step::Sweep => files.0.lock().files.retain(|path, _| !path.starts_with("/r/.volley-tmp/")),
            Step::Delete => {
                if let Some((path, _)) = visible(&files) {
                    files.0.lock().files.remove(&path);
                }
            }
        }
        check_label(&files, naming);
    }
    // whatever has happened, a writer to whom nothing happens comes to an end
    let mut last = attempt(&files, 999_999, naming);
    let outcome = at_once(&files, last.work.as_mut());
    assert!(matches!(outcome, Ok(()) | Err(StorageError::AlreadyExists { .. })), "{outcome:?}");
    assert!(visible(&files).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn what_is_seen_is_complete_and_has_its_own_label_whatever_happens(
        steps in proptest::collection::vec(step(), 1..120),
        naming in prop_oneof![Just(Naming::Unclaimed), Just(Naming::Own), Just(Naming::Claimed), Just(Naming::Claimed)],
    ) {
        simulate(&steps, naming);
    }
}
