//! volley-kafka
