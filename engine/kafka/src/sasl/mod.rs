//! Who a client says it is: mechanisms, and the messages that each exchanges with a broker.
//!
//! ```text
//!  sasl.mechanism, sasl.jaas.config ─ Credentials ─► Exchange ─ first message ─►
//!                                                             ◄─── answer ─────  broker
//!                                                    Send │ Done
//! ```

mod credentials;
mod exchange;
mod oauthbearer;
mod refusal;
mod scram;
mod token;

pub(crate) use credentials::{Credentials, token_source};
pub(crate) use exchange::{Exchange, RENEW_AFTER, Step};
pub(crate) use refusal::{in_words_of_broker, login_refused};
pub(crate) use token::{TokenSource, now};
