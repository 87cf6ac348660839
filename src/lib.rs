//! Kawal.
pub mod intake;
pub mod rejection;
pub mod scheme;
pub mod secret;
