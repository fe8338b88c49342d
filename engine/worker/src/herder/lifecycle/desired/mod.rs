//! The desired state of each connector: how it is derived, and how an actor is told of it.
//!
//! ```text
//!  assignment ───┐
//!  config store ─┴─► desired_here ─► DesiredState ─► Reconciliation ─► Reconciler of the actor
//!                                                          │
//!                                                          └─► Expedite: a call that is out has to return soon
//! ```

mod assignment_plan;
mod desired_state;
mod expedite;
mod reconciliation;

pub(crate) use assignment_plan::{desired_here, is_out_of_date};
pub(crate) use desired_state::DesiredState;
pub(crate) use expedite::Expedite;
pub(crate) use reconciliation::{Reconciler, Reconciliation};
