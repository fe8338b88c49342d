//! volley-connectors
