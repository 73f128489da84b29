//! The directions in which an edge may leave a point so that it passes near some points and keeps away from others.
use super::edge::chord;
use super::sphere::Vector;
use std::f64::consts::{FRAC_PI_2, TAU};

/// Directions from a point, as an arc of angles.
#[derive(Debug)]
pub struct Window {
    from: Vector,
    east: Vector,
    north: Vector,
    /// None while all directions will do.
    arc: Option<Arc>,
    /// What to keep away from once there is an arc, and whether it is on the left.
    avoided: Vec<(Arc, bool)>,
}

/// The angles from a start on, turning left; none where the width is below 0.
#[derive(Clone, Copy, Debug)]
struct Arc {
    start: f64,
    width: f64,
}

impl Arc {
    fn around(centre: f64, right: f64, left: f64) -> Arc {
        Arc { start: centre - right, width: (right + left).min(TAU) }
    }

    const EMPTY: Arc = Arc { start: 0.0, width: -1.0 };

    fn end(self) -> f64 {
        self.start + self.width
    }

    /// How far from the start an angle lies, turning left.
    fn offset(self, angle: f64) -> f64 {
        (angle - self.start).rem_euclid(TAU)
    }

    fn holds(self, angle: f64) -> bool {
        self.offset(angle) <= self.width
    }

    fn holds_all(self, other: Arc) -> bool {
        self.width >= 0.0 && self.offset(other.start) + other.width <= self.width
    }

    /// What two arcs share: where that is two arcs, the smaller of the given ones.
    fn shared(self, other: Arc) -> Arc {
        if self.width < 0.0 || other.width < 0.0 {
            Arc::EMPTY
        } else if self.holds(other.start) {
            let rest = self.width - self.offset(other.start);
            if other.width > rest && other.holds(self.start) {
                return if other.width < self.width { other } else { self };
            }
            Arc { start: other.start, width: other.width.min(rest) }
        } else if other.holds(self.start) {
            Arc { start: self.start, width: self.width.min(other.width - other.offset(self.start)) }
        } else {
            Arc::EMPTY
        }
    }

    fn rest(self) -> Arc {
        Arc { start: self.end(), width: TAU - self.width }
    }
}

impl Window {
    pub fn new(from: Vector) -> Window {
        let east = from.orthogonal();
        Window { from, east, north: from.cross(east), arc: None, avoided: Vec::new() }
    }

    fn direction(&self, point: Vector) -> f64 {
        point.dot(self.north).atan2(point.dot(self.east))
    }

    /// Half the angle under which a circle around a point is seen; none from inside it.
    fn half_width(&self, point: Vector, radius: f64) -> Option<f64> {
        let way = chord(self.from, point);
        let squared_sine = |chord: f64| chord * (1.0 - 0.25 * chord);
        (way > radius).then(|| (squared_sine(radius) / squared_sine(way)).max(0.0).sqrt().min(1.0).asin())
    }

    /// Whether the point lies within the window.
    pub fn holds(&self, point: Vector) -> bool {
        let angle = self.direction(point);
        chord(self.from, point) <= 2.0
            && self.arc.is_none_or(|arc| arc.holds(angle))
            && !self.avoided.iter().any(|(avoided, _)| avoided.holds(angle))
    }

    /// Leaves the directions that pass within a squared chord of a point; false where there are none.
    pub fn aim(&mut self, point: Vector, radius: f64) -> bool {
        let Some(half) = self.half_width(point, radius) else { return true };
        let target = Arc::around(self.direction(point), half, half);
        self.arc = Some(self.arc.map_or(target, |arc| arc.shared(target)));
        for (avoided, on_left) in std::mem::take(&mut self.avoided) {
            self.cut(avoided, on_left);
        }
        self.is_open()
    }

    /// Takes out the directions that pass within a squared chord of a point, and those beyond it on its side.
    pub fn avoid(&mut self, point: Vector, radius: f64, on_left: bool) -> bool {
        let Some(half) = self.half_width(point, radius) else {
            self.arc = Some(Arc::EMPTY);
            return false;
        };
        let (right, left) = if on_left { (half, FRAC_PI_2) } else { (FRAC_PI_2, half) };
        let avoided = Arc::around(self.direction(point), right, left);
        match self.arc {
            None => self.avoided.push((avoided, on_left)),
            Some(_) => self.cut(avoided, on_left),
        }
        self.is_open()
    }

    fn is_open(&self) -> bool {
        self.arc.is_none_or(|arc| arc.width >= 0.0)
    }

    fn cut(&mut self, avoided: Arc, on_left: bool) {
        let Some(arc) = self.arc else { return };
        self.arc = Some(if !arc.holds_all(avoided) {
            arc.shared(avoided.rest())
        } else if on_left {
            Arc { width: arc.offset(avoided.start), ..arc }
        } else {
            Arc { start: avoided.end(), width: arc.width - arc.offset(avoided.end()) }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::geo::sphere::Place;
    use std::f64::consts::PI;

    fn at(longitude: f64, latitude: f64) -> Vector {
        Place::new(longitude, latitude).unwrap().vector()
    }

    #[test]
    fn a_window_narrows() {
        let mut window = Window::new(at(0.0, 0.0));
        let degree = chord(at(0.0, 0.0), at(1.0, 0.0));
        assert!(window.holds(at(0.0, 10.0)));
        assert!(window.aim(at(5.0, 0.0), degree));
        assert!(window.holds(at(10.0, 0.0)) && !window.holds(at(0.0, 10.0)));
        assert!(window.avoid(at(7.0, 1.0), degree, true));
        assert!(!window.holds(at(10.0, 0.5)) && window.holds(at(10.0, -0.5)));
        assert!(!window.aim(at(-5.0, 0.0), degree));
    }

    #[test]
    fn arcs_share_what_both_hold() {
        let arc = |start: f64, width: f64| Arc { start, width };
        let shared = arc(PI - 0.5, 1.0).shared(arc(-PI, 1.0));
        assert!((shared.width - 0.5).abs() < 1e-12 && shared.holds(PI + 0.25));
        assert!(arc(0.0, 1.0).shared(arc(2.0, 1.0)).width < 0.0);
    }
}
