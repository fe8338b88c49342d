//! Membership in a group with the broker's classic protocol, for any protocol type.
//!
//! ```text
//!  owner ─ join, sync, leave, poll ─► GroupMember ─ commands ─► membership task ─ JoinGroup, SyncGroup, Heartbeat ─► coordinator
//!        ◄───────── events ──────────             ◄── events ──                 ◄─ search ─ FindCoordinator ─► any broker
//! ```
//!
//! A worker's life in a group:
//!
//! ```no_run
//! # use volley_kafka::{GroupError, GroupEvent, GroupMember, GroupResult};
//! # async fn live(member: GroupMember) -> GroupResult<()> {
//! loop {
//!     let joined = member.join(vec![("sessioned".to_owned(), "metadata".into())]).await?;
//!     let assignments = joined.members.iter().map(|(id, _metadata)| (id.clone(), "assignment".into())).collect();
//!     let assignment = match member.sync(assignments).await {
//!         Ok(assignment) => assignment,
//!         Err(GroupError::Rejoin | GroupError::Reset) => continue,
//!         Err(error) => return Err(error),
//!     };
//!     // … do what `assignment` says, call `member.poll()` now and then, and:
//!     match member.next_event().await {
//!         GroupEvent::RebalanceInProgress | GroupEvent::MemberLost(_) => continue,
//!         GroupEvent::CoordinatorLost(_) => { /* stop everything, then join again */ }
//!         GroupEvent::CoordinatorFound => {}
//!     }
//! }
//! # }
//! ```

mod answer;
mod backoff;
mod coordinator_link;
mod coordinator_search;
mod error;
mod event;
#[cfg(test)]
mod fake_coordinator;
mod find_coordinator;
mod joined;
mod member;
mod membership;
mod requests;
mod settings;
mod shared;
mod status;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use answer::{coordinator_is_not_ready, leave_error, refusal};
pub(crate) use backoff::Backoff;
pub use error::{GroupError, GroupResult};
pub use event::{GroupEvent, MemberLoss};
pub(crate) use find_coordinator::{CoordinatorKind, coordinator_of, coordinator_of_kind};
pub use joined::Joined;
pub use member::GroupMember;
pub(crate) use requests::leave as leave_request;
pub use settings::GroupSettings;
pub use status::MemberStatus;
