//! volley-transforms
