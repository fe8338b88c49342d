//! What ends a transaction: `transaction.boundary` and `transaction.boundary.interval.ms`.

use std::time::{Duration, Instant};

use volley_api::{ConfigMap, Error, Result, TransactionEnd};

/// What ends a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionBoundary {
    /// The end of each poll.
    Poll,
    /// The first end of a poll after this time, or a moment without one.
    Interval(Duration),
    /// The task says.
    Connector,
}

/// A place in what was polled where a transaction may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// The end of a poll.
    Poll,
    /// The task is paused from here on.
    Pause,
    /// The task ends the transaction here.
    Task(TransactionEnd),
}

impl TransactionBoundary {
    /// The boundary that a connector is configured with; `default_interval` is `offset.flush.interval.ms`.
    ///
    /// # Errors
    /// `Config` if a key has a bad value.
    pub(crate) fn of(config: &ConfigMap, default_interval: Duration) -> Result<Self> {
        let boundary = config.get("transaction.boundary").map_or("poll", |boundary| boundary.trim());
        match boundary.to_ascii_lowercase().as_str() {
            "poll" => Ok(Self::Poll),
            "connector" => Ok(Self::Connector),
            "interval" => {
                let Some(text) = config.get("transaction.boundary.interval.ms") else {
                    return Ok(Self::Interval(default_interval));
                };
                let interval = text.trim().parse().map_err(|error| {
                    Error::config(format!(
                        "could not parse `transaction.boundary.interval.ms` {text:?} as milliseconds"
                    ))
                    .with_source(error)
                })?;
                Ok(Self::Interval(Duration::from_millis(interval)))
            }
            _ => Err(Error::config(format!(
                "`transaction.boundary` must be poll, interval or connector, not `{boundary}`"
            ))),
        }
    }

    /// How a transaction ends that has come to `place`, the last one having ended at `last`; `None`: it goes on.
    pub(super) fn end_at(self, place: Boundary, last: Instant) -> Option<TransactionEnd> {
        match (self, place) {
            (Self::Connector, Boundary::Task(end)) => Some(end),
            (Self::Connector, _) | (_, Boundary::Task(_)) => None,
            (Self::Interval(interval), Boundary::Poll) => {
                (last.elapsed() >= interval).then_some(TransactionEnd::Commit)
            }
            (Self::Poll | Self::Interval(_), _) => Some(TransactionEnd::Commit),
        }
    }

    /// How long it is until the interval is over; `None` if time ends no transaction.
    pub(super) fn time_left(self, last: Instant) -> Option<Duration> {
        match self {
            Self::Interval(interval) => Some(interval.saturating_sub(last.elapsed())),
            Self::Poll | Self::Connector => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn of(config: &[(&str, &str)]) -> Result<TransactionBoundary> {
        TransactionBoundary::of(&config_map(config), MINUTE)
    }

    #[test]
    fn a_transaction_is_a_poll_unless_the_user_says_otherwise() {
        assert_eq!(of(&[]).unwrap(), TransactionBoundary::Poll);
        assert_eq!(of(&[("transaction.boundary", "INTERVAL")]).unwrap(), TransactionBoundary::Interval(MINUTE));
        let second = [("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", " 1000")];
        assert_eq!(of(&second).unwrap(), TransactionBoundary::Interval(Duration::from_secs(1)));
        assert_eq!(of(&[("transaction.boundary", "Connector")]).unwrap(), TransactionBoundary::Connector);
        assert!(of(&[("transaction.boundary", "row")]).is_err());
        assert!(of(&[("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", "1s")]).is_err());
    }

    #[test]
    fn each_boundary_ends_transactions_where_it_says_and_nowhere_else() {
        let now = Instant::now();
        let commit = Some(TransactionEnd::Commit);
        let task = |end| Boundary::Task(end);
        assert_eq!(TransactionBoundary::Poll.end_at(Boundary::Poll, now), commit);
        assert_eq!(TransactionBoundary::Poll.end_at(Boundary::Pause, now), commit);
        assert_eq!(TransactionBoundary::Poll.end_at(task(TransactionEnd::Abort), now), None);
        let (long, short) = (TransactionBoundary::Interval(MINUTE), TransactionBoundary::Interval(Duration::ZERO));
        assert_eq!(long.end_at(Boundary::Poll, now), None);
        assert_eq!(short.end_at(Boundary::Poll, now), commit);
        assert_eq!(long.end_at(Boundary::Pause, now), commit);
        let connector = TransactionBoundary::Connector;
        assert_eq!(connector.end_at(Boundary::Poll, now), None);
        assert_eq!(connector.end_at(Boundary::Pause, now), None);
        assert_eq!(connector.end_at(task(TransactionEnd::Abort), now), Some(TransactionEnd::Abort));
    }
}
