//! Measures along the shortest way between two places: an edge.
use super::sphere::Vector;

/// An edge of a line or of a ring.
pub type Edge = (Vector, Vector);

/// Where an edge's end is the other one's opposite, no way between them is shortest.
pub fn is_edge((a, b): Edge) -> bool {
    a != b && a != -b
}

/// The squared length of the chord between two points.
pub fn chord(a: Vector, b: Vector) -> f64 {
    let way = a - b;
    way.dot(way)
}

/// The angle of a squared chord.
pub fn chord_angle(chord: f64) -> f64 {
    2.0 * (0.5 * chord.min(4.0).sqrt()).asin()
}

/// The squared chord that spans an angle.
pub fn angle_chord(angle: f64) -> f64 {
    let half = 2.0 * (0.5 * angle.clamp(0.0, std::f64::consts::PI)).sin();
    half * half
}

/// The point at an angle from `origin` in a direction at right angles to it.
pub fn on_ray(origin: Vector, direction: Vector, angle: f64) -> Vector {
    (origin * angle.cos() + direction * angle.sin()).unit()
}

/// The point at a fraction of the way along an edge.
pub fn interpolate((a, b): Edge, fraction: f64) -> Vector {
    match fraction {
        0.0 => a,
        1.0 => b,
        _ => on_ray(a, a.normal(b).cross(a).unit(), fraction * a.angle(b)),
    }
}

/// The squared chord from a point to the nearest point of an edge.
pub fn distance(point: Vector, (a, b): Edge) -> f64 {
    let (to_a, to_b, length) = (chord(point, a), chord(point, b), chord(a, b));
    let ends = to_a.min(to_b);
    // An obtuse angle at an end: that end is nearest. The bound allows for rounding.
    if (to_a - to_b).abs() >= length + 5.0 * f64::EPSILON * (to_a + to_b + length) {
        return ends;
    }
    let normal = a.normal(b);
    let along = normal.cross(point);
    if (a - point).dot(along) >= 0.0 || (b - point).dot(along) <= 0.0 {
        return ends;
    }
    let size = normal.dot(normal);
    let across = point.dot(normal);
    let rise = 1.0 - (along.dot(along) / size).sqrt();
    across * across / size + rise * rise
}

/// The point of an edge that is nearest to a point.
pub fn nearest(point: Vector, (a, b): Edge) -> Vector {
    if point == a || point == b {
        return point;
    }
    let normal = a.normal(b).unit();
    let foot = normal.normal(point).cross(normal).unit();
    let ahead = foot.cross(normal);
    if a.dot(ahead) > 0.0 && b.dot(ahead) < 0.0 {
        return foot;
    }
    if chord(point, a) <= chord(point, b) { a } else { b }
}

/// Where two edges that cross inside meet.
pub fn intersection(first: Edge, second: Edge) -> Vector {
    // The longer edge gives the plane: its normal is the more exact one.
    let longer = chord(first.0, first.1) >= chord(second.0, second.1);
    let ((a, b), (c, d)) = if longer { (first, second) } else { (second, first) };
    let normal = a.normal(b);
    let height = |point: Vector| {
        let (from_a, from_b) = (point - a, point - b);
        if from_a.dot(from_a) < from_b.dot(from_b) { from_a.dot(normal) } else { from_b.dot(normal) }
    };
    let (at_c, at_d) = (height(c), height(d));
    let sum = if at_c < at_d { d * -at_c - c * -at_d } else { d * at_c - c * at_d };
    // Edges on one great circle: any common point will do.
    if sum.norm() <= f64::MIN_POSITIVE { nearest(c, (a, b)) } else { sum.unit() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::geo::sphere::Place;

    fn at(longitude: f64, latitude: f64) -> Vector {
        Place::new(longitude, latitude).unwrap().vector()
    }

    #[test]
    fn the_nearest_point_is_where_the_distance_says() {
        let edge = (at(0.0, 0.0), at(10.0, 0.0));
        for (point, foot) in [(at(5.0, 3.0), at(5.0, 0.0)), (at(-4.0, 1.0), edge.0), (at(12.0, -7.0), edge.1)] {
            assert!(chord(nearest(point, edge), foot) < 1e-30);
            assert!((distance(point, edge) - chord(point, foot)).abs() < 1e-15);
        }
    }

    #[test]
    fn edges_meet_on_both() {
        let (first, second) = ((at(-1.0, -1.0), at(1.0, 1.0)), (at(-1.0, 1.0), at(1.0, -1.0)));
        assert!(chord(intersection(first, second), at(0.0, 0.0)) < 1e-30);
        assert!(chord(intersection(second, first), at(0.0, 0.0)) < 1e-30);
    }
}
