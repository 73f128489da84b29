//! What a run tells of its nodes: rows and time.
use super::pipeline::Counter;
use crate::expr::NodeId;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Rows that left each node, and the time spent in it over all threads.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    nodes: HashMap<NodeId, (u64, Duration)>,
}

impl Profile {
    /// `separate` says that no step was merged into another: one that no row reached has its count, 0.
    pub(super) fn new(counters: &[Arc<Counter>], separate: bool) -> Profile {
        let mut nodes: HashMap<NodeId, (u64, Duration)> = HashMap::new();
        for counter in counters {
            let Some(node) = counter.node.filter(|_| separate || counter.used.load(Ordering::Relaxed)) else {
                continue;
            };
            let entry = nodes.entry(node).or_default();
            entry.0 += counter.rows.load(Ordering::Relaxed);
            entry.1 += Duration::from_nanos(counter.nanoseconds.load(Ordering::Relaxed));
        }
        Profile { nodes }
    }

    /// Rows that left the node; none where it was not run, or was merged into another step.
    pub fn rows(&self, node: NodeId) -> Option<u64> {
        self.nodes.get(&node).map(|(rows, _)| *rows)
    }

    pub fn time(&self, node: NodeId) -> Option<Duration> {
        self.nodes.get(&node).map(|(_, time)| *time)
    }
}
