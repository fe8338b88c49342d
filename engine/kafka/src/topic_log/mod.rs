//! A compacted topic as shared memory: every worker reads all of it, so each record reaches all workers.
//!
//! ```text
//!   writers ── LogWriter / TransactionalLogWriter ──► topic ──► one thread ──► LogListener
//!   readers ── read_to_end: LogEnds reads the end offsets ── waits until Positions has reached them
//! ```

mod ends;
mod log;
mod positions;
mod reader;
mod topic_reading;
mod transactional_writer;
mod writer;

pub use ends::LogEnds;
pub use log::{LogSettings, TopicLog};
pub use reader::{LogListener, LogRecord};
pub use topic_reading::{ReadingSettings, TopicReading};
pub use transactional_writer::TransactionalLogWriter;
pub use writer::{LogEntry, LogWriter, OnDelivery};
