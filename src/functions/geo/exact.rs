//! Decisions about points of the sphere that rounding cannot upset: which side of an edge a point lies on,
//! whether edges cross, in which order edges leave a point.
//!
//! Points in one plane through the centre are told apart as though each had been moved by an infinitely small
//! amount of its own, so that no three different points ever lie on one edge and every answer agrees with
//! every other.
use super::sphere::Vector;
use robust::{Coord3D, orient3d};
use std::cmp::Ordering;

/// A fixed point from which it is counted what a walk over the sphere crosses; no place of interest lies there.
pub const ORIGIN: Vector =
    Vector { x: -0.009_999_466_435_025_02, y: 0.002_592_454_260_932_412, z: 0.999_946_643_502_502 };

/// 1 where `a`, `b`, `c` turn left as seen from outside, -1 where they turn right, 0 where two are the same.
pub fn sign(a: Vector, b: Vector, c: Vector) -> i32 {
    // Beyond this bound no rounding can have changed the sign.
    const CERTAIN: f64 = 3.6548e-15 / 4.0;
    let quick = a.cross(b).dot(c);
    if quick.abs() > CERTAIN {
        return if quick > 0.0 { 1 } else { -1 };
    }
    if a == b || b == c || c == a {
        return 0;
    }
    let point = |v: Vector| Coord3D { x: v.x, y: v.y, z: v.z };
    let exact = orient3d(point(a), point(b), point(c), Coord3D { x: 0.0, y: 0.0, z: 0.0 });
    if exact != 0.0 {
        return if exact > 0.0 { 1 } else { -1 };
    }
    perturbed_sign(a, b, c)
}

/// The sign for three points of one plane: of the first coefficient of the determinant, as a polynomial in the
/// amounts by which the points are moved, that is not zero.
fn perturbed_sign(a: Vector, b: Vector, c: Vector) -> i32 {
    let (mut points, mut turn) = ([a, b, c], 1);
    // Sorted, so that the same points are always moved alike.
    for (first, second) in [(0, 1), (1, 2), (0, 1)] {
        if order(points[first], points[second]).is_gt() {
            points.swap(first, second);
            turn = -turn;
        }
    }
    let [a, b, c] = points;
    let coefficients: [fn(Vector, Vector, Vector) -> i32; 12] = [
        |_, b, c| minor(b.x, c.y, b.y, c.x),
        |_, b, c| minor(b.z, c.x, b.x, c.z),
        |_, b, c| minor(b.y, c.z, b.z, c.y),
        |a, _, c| minor(c.x, a.y, c.y, a.x),
        |_, _, c| sign_of(c.x),
        |_, _, c| -sign_of(c.y),
        |a, _, c| minor(c.z, a.x, c.x, a.z),
        |_, _, c| sign_of(c.z),
        |a, b, _| minor(a.x, b.y, a.y, b.x),
        |_, b, _| -sign_of(b.x),
        |_, b, _| sign_of(b.y),
        |a, _, _| sign_of(a.x),
    ];
    turn * coefficients.iter().map(|coefficient| coefficient(a, b, c)).find(|sign| *sign != 0).unwrap_or(1)
}

/// Points by their coordinates.
pub fn order(a: Vector, b: Vector) -> Ordering {
    a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)).then(a.z.total_cmp(&b.z))
}

fn sign_of(number: f64) -> i32 {
    i32::from(number > 0.0) - i32::from(number < 0.0)
}

/// The exact sign of `a * d - b * c`.
fn minor(a: f64, d: f64, b: f64, c: f64) -> i32 {
    let (left, right) = (a * d, b * c);
    let (left_rest, right_rest) = (a.mul_add(d, -left), b.mul_add(c, -right));
    match sign_of(left - right) {
        0 => sign_of(left_rest - right_rest),
        sign => sign,
    }
}

/// Whether the edges from `o` to `a`, `b` and `c` are met in this order, turning left.
pub fn in_order(a: Vector, b: Vector, c: Vector, o: Vector) -> bool {
    let holds = i32::from(sign(b, o, a) >= 0) + i32::from(sign(c, o, b) >= 0) + i32::from(sign(a, o, c) > 0);
    holds >= 2
}

/// What two edges have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    Apart,
    /// An end of one is an end of the other.
    Ends,
    /// They cross inside both.
    Inside,
}

pub fn meeting(a: Vector, b: Vector, c: Vector, d: Vector) -> Meeting {
    if a == c || a == d || b == c || b == d {
        return Meeting::Ends;
    }
    let side = sign(a, b, d);
    let crossing = side != 0 && -sign(a, b, c) == side && -sign(c, d, b) == side && sign(c, d, a) == side;
    if crossing { Meeting::Inside } else { Meeting::Apart }
}

/// How often the walk from `a` to `b` crosses the edge from `c` to `d`: 1 where it does so from right to left,
/// -1 from left to right. At ends of the edge it crosses just one of the edges that bound a region there.
pub fn crossing(a: Vector, b: Vector, c: Vector, d: Vector) -> i32 {
    match meeting(a, b, c, d) {
        Meeting::Apart => 0,
        Meeting::Inside => sign(a, b, c),
        Meeting::Ends => end_crossing(a, b, c, d),
    }
}

/// A walk from one point to another that is asked of many edges how often it crosses them.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    from: Vector,
    to: Vector,
    normal: Vector,
}

impl Walk {
    pub fn new(from: Vector, to: Vector) -> Walk {
        Walk { from, to, normal: from.cross(to) }
    }

    /// As [`crossing`] says.
    pub fn crossing(&self, c: Vector, d: Vector) -> i32 {
        // Edges that lie to one side of the walk's plane by more than rounding can hide.
        const CERTAIN: f64 = 1e-14;
        let (c_side, d_side) = (self.normal.dot(c), self.normal.dot(d));
        let beside = (c_side > CERTAIN && d_side > CERTAIN) || (c_side < -CERTAIN && d_side < -CERTAIN);
        if beside { 0 } else { crossing(self.from, self.to, c, d) }
    }
}

fn end_crossing(a: Vector, b: Vector, c: Vector, d: Vector) -> i32 {
    let from = |o: Vector| o.orthogonal();
    if a == b || c == d {
        0
    } else if a == c {
        i32::from(b == d || in_order(from(a), d, b, a))
    } else if b == d {
        i32::from(in_order(from(b), c, a, b))
    } else if a == d {
        -i32::from(b == c || in_order(from(a), c, b, a))
    } else if b == c {
        -i32::from(in_order(from(b), d, a, b))
    } else {
        0
    }
}

/// Whether a region whose edge runs from `a` over `b` to `c` counts `b` as its own.
pub fn owns_corner(a: Vector, b: Vector, c: Vector) -> bool {
    !in_order(b.orthogonal(), c, a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Vector> {
        // Few values, so that points coincide and lie in one plane.
        (-2i8..=2, -2i8..=2, -2i8..=2)
            .prop_filter("no direction", |p| *p != (0, 0, 0))
            .prop_map(|(x, y, z)| Vector::new(x.into(), y.into(), z.into()).unit())
    }

    proptest! {
        #[test]
        fn signs_agree_with_each_other(a in point(), b in point(), c in point()) {
            let own = sign(a, b, c);
            prop_assert_eq!(own, sign(b, c, a));
            prop_assert_eq!(own, -sign(c, b, a));
            prop_assert_eq!(own == 0, a == b || b == c || c == a);
        }

        #[test]
        fn edges_cross_both_ways(a in point(), b in point(), c in point(), d in point()) {
            let antipodal = |p: Vector, q: Vector| p == -q;
            prop_assume!(!antipodal(a, b) && !antipodal(c, d));
            prop_assert_eq!(meeting(a, b, c, d), meeting(d, c, a, b));
            prop_assert_eq!(crossing(a, b, c, d), -crossing(a, b, d, c));
            prop_assert_eq!(crossing(a, b, c, d), Walk::new(a, b).crossing(c, d));
        }
    }
}
