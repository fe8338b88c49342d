//! `table.splits`: one large table that several tasks read by ranges of its keys.
//!
//! ```text
//!  Planner ─ borders of the database ─► SplitPlan ─ task configurations ─► RangeReader for each range of a task
//!                 ▲                        ▲                                  │ rows, with the plan in each offset
//!                 │                        └──────────── offsets ◄────────────┘
//!                 └─ sample of the keys                     │ all ranges are stored
//!                                                           ▼
//!                             the first range gives out its last rows with the offset of Java, and is a Reader
//! ```
//!
//! The plan is fixed once: it is in the offset of each range, and whoever starts next goes on with it. Whether the
//! snapshot is complete is said by the table's own source partition, which has no offset before.

mod key_position;
mod planner;
mod range_reader;
mod range_rows;
mod range_sql;
mod split_count;
mod split_offset;
mod split_plan;
mod table_splits;

pub(super) use planner::Planner;
pub(super) use range_reader::RangeReader;
pub(super) use split_count::SplitCount;
pub(super) use split_offset::check as check_split_offset;
pub(super) use table_splits::{readers_of, task_configs};
