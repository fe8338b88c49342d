//! The wall clock, and waiting.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// The time.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn now_ms() -> i64 {
    now().timestamp_millis()
}

/// Waits until `time`; for ever if there is none.
///
/// # Cancellation
/// Nothing is lost.
pub(crate) async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
