//! What is told of the work: the log, the metrics, the last decisions. Never a body, a query, a proof or a
//! secret.

mod decision;
mod drift;
mod families;
mod gateway;
mod histogram;
mod log;
mod metrics;
mod page;
mod picture;
mod recent;
mod writer;

pub use decision::{Decision, End};
pub use gateway::GatewayMetrics;
pub use log::{Form, Log, start};
pub use metrics::{Metrics, Readings, ReloadOf};
pub use page::{Format, page};
pub use picture::{EVERY, Picture};
pub use recent::{Recent, RecentDecision};
pub use writer::LostLines;
