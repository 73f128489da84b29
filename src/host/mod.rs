//! The hosts that huntpack runs in.
#[cfg(feature = "python")]
mod python;
pub mod splunk;
