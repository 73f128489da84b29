//! Which of many edges may touch: pairs whose boxes overlap.
use super::edge::{Edge, chord};
use crate::diagnostic::Result;
use crate::functions::Context;

/// The box around an edge in space.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    low: [f64; 3],
    high: [f64; 3],
}

impl Bounds {
    fn of((a, b): Edge, margin: f64) -> Bounds {
        // The arc rises above its chord by no more than this.
        let rise = margin + (1.0 - (1.0 - 0.25 * chord(a, b).min(4.0)).max(0.0).sqrt());
        let (a, b) = ([a.x, a.y, a.z], [b.x, b.y, b.z]);
        let at = |pick: fn(f64, f64) -> f64, by: f64| std::array::from_fn(|axis| pick(a[axis], b[axis]) + by);
        Bounds { low: at(f64::min, -rise), high: at(f64::max, rise) }
    }

    fn touches(&self, other: &Bounds) -> bool {
        (0..3).all(|axis| self.low[axis] <= other.high[axis] && other.low[axis] <= self.high[axis])
    }
}

/// Pairs are looked at in steps of this many between two looks at the clock.
const STEP: usize = 1 << 16;

/// Calls `visit` with the places of every two edges that come nearer to each other than `margin`, and of some
/// that do not; the smaller place first.
pub fn pairs(
    edges: &[Edge],
    margin: f64,
    context: &Context,
    mut visit: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    let bounds: Vec<Bounds> = edges.iter().map(|edge| Bounds::of(*edge, margin)).collect();
    let axis = widest_axis(&bounds);
    let mut order: Vec<usize> = (0..bounds.len()).collect();
    order.sort_by(|a, b| bounds[*a].low[axis].total_cmp(&bounds[*b].low[axis]));
    // Edges whose boxes may still overlap that of the next edge.
    let mut open: Vec<usize> = Vec::new();
    let mut looked = 0;
    for next in order {
        open.retain(|edge| bounds[*edge].high[axis] >= bounds[next].low[axis]);
        looked += open.len() + 1;
        if looked > STEP {
            looked = 0;
            context.check()?;
        }
        for edge in open.iter().filter(|edge| bounds[**edge].touches(&bounds[next])) {
            visit((*edge).min(next), (*edge).max(next))?;
        }
        open.push(next);
    }
    Ok(())
}

/// The axis along which the boxes are spread most.
fn widest_axis(bounds: &[Bounds]) -> usize {
    let spread = |axis: &usize| {
        let low = bounds.iter().map(|b| b.low[*axis]).fold(f64::INFINITY, f64::min);
        bounds.iter().map(|b| b.low[*axis]).fold(f64::NEG_INFINITY, f64::max) - low
    };
    (0..3).max_by(|a, b| spread(a).total_cmp(&spread(b))).unwrap_or(0)
}
