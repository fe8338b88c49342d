//! Java client keys to librdkafka's.
//!
//! ```text
//!  Java keys ─┬─ same name in librdkafka ────────► as it is          (keys.rs: which belong to which client)
//!             ├─ another name or unit ───────────► renamed, clamped  (keys.rs)
//!             ├─ ssl.*, sasl.* ──────────────────► PEM, JAAS         (tls.rs, sasl.rs)
//!             ├─ of no meaning here ─────────────► dropped silently  (serializers, metrics reporters, …)
//!             └─ anything else ──────────────────► dropped, with a warning that names it
//! ```

mod defaults;
mod keys;
mod sasl;
mod tls;
mod translate;

pub use translate::{ClientRole, Translation, is_client_key, translate};
