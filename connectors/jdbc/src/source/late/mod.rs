//! Transactions that commit late: with a number or a time that was passed already.
//!
//! | key | how none of their rows is lost | what it costs |
//! |---|---|---|
//! | `late.commits=wait` | nothing is read before every transaction that may come before it has ended: [`Settling`], [`NumberBound`] | rows wait for the longest transaction |
//! | `lookback.ms`, `lookback.rows` | the last rows are read again; what was delivered is remembered: [`Lookback`] | the last rows are read again |

mod lookback;
mod number_bound;
mod seen_numbers;
mod seen_rows;
mod settling;

pub(super) use lookback::Lookback;
pub(super) use number_bound::NumberBound;
pub(super) use settling::Settling;
