//! Who a client says it is.

pub(crate) mod jaas;
