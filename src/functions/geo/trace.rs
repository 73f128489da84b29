//! Rings and lines out of the pieces of an arrangement.
use super::arrange::Arrangement;
use super::region::{Polygon, Ring};
use super::sphere::Vector;
use std::collections::HashMap;

/// The region whose boundary the chosen pieces are, each with the region to its left.
pub fn region(pieces: &Arrangement, chosen: impl Fn(usize) -> bool) -> Polygon {
    let mut rings = rings(pieces, chosen);
    rings.sort_by_key(|ring| ring.first().map(|piece| (pieces.pieces[*piece].first, *piece)));
    let corners = |ring: &Vec<usize>| ring.iter().map(|p| pieces.points[pieces.pieces[*p].from]).collect();
    Polygon::of_rings(rings.iter().map(|ring| Ring::smaller(corners(ring))).collect())
}

/// Rings of pieces. Where rings touch they part; a ring starts where the first of its edges starts.
fn rings(pieces: &Arrangement, chosen: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut free: Vec<bool> = (0..pieces.pieces.len()).map(chosen).collect();
    let mut rings = Vec::new();
    let mut starts: Vec<usize> = (0..free.len()).filter(|piece| free[*piece]).collect();
    starts.sort_by_key(|piece| (pieces.pieces[*piece].from, pieces.pieces[*piece].to));
    for start in starts {
        let mut path: Vec<usize> = Vec::new();
        // Where the path left each of its points.
        let mut left_at: HashMap<usize, usize> = HashMap::new();
        let mut at = free[start].then_some(start);
        while let Some(piece) = at {
            free[piece] = false;
            left_at.insert(pieces.pieces[piece].from, path.len());
            path.push(piece);
            if let Some(begin) = left_at.get(&pieces.pieces[piece].to).copied() {
                let ring = path.split_off(begin);
                ring.iter().for_each(|piece| {
                    left_at.remove(&pieces.pieces[*piece].from);
                });
                rings.push(from_first(pieces, ring));
            }
            at = pieces.turns(piece).find(|next| free[*next]).filter(|_| !path.is_empty());
        }
    }
    // Two pieces bound nothing.
    rings.retain(|ring| ring.len() > 2);
    rings
}

/// Turns a ring so that the piece of its last edge comes last: the pieces of one edge stay together.
fn from_first(pieces: &Arrangement, mut ring: Vec<usize>) -> Vec<usize> {
    let first = |at: usize| pieces.pieces[ring[at]].first;
    let (mut last, mut gap) = (0, false);
    for at in 1..ring.len() {
        if first(at) < first(last) {
            gap = true;
        } else if first(at) > first(last) || !gap {
            (last, gap) = (at, false);
        }
    }
    let start = (last + 1) % ring.len().max(1);
    ring.rotate_left(start);
    ring
}

/// Lines out of pieces given as their ends, in the order of their edges. Lines end where more than two pieces
/// meet; pieces that are left over close to rings.
pub fn lines(pieces: &[(usize, usize)], points: &[Vector]) -> Vec<Vec<Vector>> {
    let mut leaving: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut arriving: HashMap<usize, usize> = HashMap::new();
    for (at, (from, to)) in pieces.iter().enumerate() {
        leaving.entry(*from).or_default().push(at);
        *arriving.entry(*to).or_default() += 1;
    }
    let goes_on =
        |point: usize| leaving.get(&point).is_some_and(|pieces| pieces.len() == 1) && arriving.get(&point) == Some(&1);
    let mut used = vec![false; pieces.len()];
    let mut lines = Vec::new();
    // First those that start at an end, then the closed ones.
    for closed in [false, true] {
        for (start, (from, _)) in pieces.iter().enumerate() {
            if used[start] || (!closed && goes_on(*from)) {
                continue;
            }
            let mut line = vec![*from];
            let mut at = Some(start);
            while let Some(piece) = at.filter(|piece| !used[*piece]) {
                used[piece] = true;
                let to = pieces[piece].1;
                line.push(to);
                at = leaving.get(&to).and_then(|next| next.first()).copied().filter(|_| goes_on(to));
            }
            lines.push(line.into_iter().filter_map(|point| points.get(point).copied()).collect());
        }
    }
    lines
}
