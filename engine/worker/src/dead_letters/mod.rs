//! What becomes of dead letters: they are looked at, and, once the reason is mended, replayed.
//!
//! ```text
//!  dead letter topic ─ read_letters ─► DeadLetter ─┬─► Summary: what went wrong, and how often
//!                                                  └─► Resend ─► the topic that it came from
//!                                                         └─ acknowledged ─► ReplayMemory: <topic>-replayed
//! ```
//! How they are written: `task/errors/`. What the headers are called is known here, for both.

mod clients;
pub(crate) mod error_headers;
mod filter;
mod letter;
mod letter_reader;
mod replay;
mod replay_memory;
mod replayed_offsets;
mod resend;
mod summary;

pub use clients::DeadLetterClients;
pub use error_headers::Reason;
pub use filter::LetterFilter;
pub use letter::DeadLetter;
pub use replay::{ReplayReport, ReplaySettings, plan_replay, replay, summarize};
pub use replay_memory::memory_topic;
pub use resend::{Destination, REPLAYED_FROM, Refusal, Resend};
pub use summary::{Group, GroupKey, KeptBytes, KeptLetter, Summary, UNKNOWN};
