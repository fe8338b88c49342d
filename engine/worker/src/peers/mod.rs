//! HTTP to the other workers of the group: the client, and the requests that this worker sends itself.

mod leader_client;
mod peer_client;

pub use leader_client::LeaderClient;
pub(crate) use leader_client::{SIGNATURE, SIGNATURE_ALGORITHM, error_message, io_message, tried, unexpected_status};
pub use peer_client::PeerClient;
pub(crate) use peer_client::{PeerError, PeerRequest, USER_AGENT};
