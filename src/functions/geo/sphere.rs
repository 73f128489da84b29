//! Places in degrees and as unit vectors, and the geometry of the sphere between them.
use std::f64::consts::PI;
use std::ops::{Add, Mul, Neg, Sub};

/// The radius of Earth in metres.
pub const EARTH_RADIUS: f64 = 6_371_010.0;

/// A longitude and a latitude in degrees. The latitude lies within 90 degrees; the longitude of a place in a
/// shape may go on beyond 180.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub longitude: f64,
    pub latitude: f64,
}

impl Place {
    /// The place of a function's two coordinates: the longitude lies within 180 degrees.
    pub fn new(longitude: f64, latitude: f64) -> Option<Place> {
        Self::in_shape(longitude, latitude).filter(|_| longitude.abs() <= 180.0)
    }

    /// A place of a shape: the longitude may go round.
    pub fn in_shape(longitude: f64, latitude: f64) -> Option<Place> {
        (longitude.is_finite() && latitude.abs() <= 90.0).then_some(Place { longitude, latitude })
    }

    pub fn vector(self) -> Vector {
        let (sin_longitude, cos_longitude) = radians(self.longitude).sin_cos();
        let (sin_latitude, cos_latitude) = radians(self.latitude).sin_cos();
        Vector::new(cos_longitude * cos_latitude, sin_longitude * cos_latitude, sin_latitude)
    }

    /// The distance in metres on the sphere.
    pub fn distance(self, other: Place) -> f64 {
        let latitude = (0.5 * radians(other.latitude - self.latitude)).sin();
        let longitude = (0.5 * radians(other.longitude - self.longitude)).sin();
        let cosines = radians(self.latitude).cos() * radians(other.latitude).cos();
        let haversine = latitude * latitude + longitude * longitude * cosines;
        2.0 * haversine.min(1.0).sqrt().asin() * EARTH_RADIUS
    }
}

fn radians(degrees: f64) -> f64 {
    PI / 180.0 * degrees
}

fn degrees(radians: f64) -> f64 {
    180.0 / PI * radians
}

/// A vector; a unit vector is a point of the sphere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vector {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

impl Vector {
    pub fn new(x: f64, y: f64, z: f64) -> Vector {
        Vector { x, y, z }
    }

    /// The place in whose direction the vector points.
    pub fn place(self) -> Place {
        // Without a negative zero.
        let longitude = degrees((self.y + 0.0).atan2(self.x + 0.0));
        Place { longitude, latitude: degrees((self.z + 0.0).atan2((self.x * self.x + self.y * self.y).sqrt())) }
    }

    pub fn dot(self, other: Vector) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub fn cross(self, other: Vector) -> Vector {
        Vector::new(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    /// A normal of the plane of two unit vectors, exact also where they are nearly equal or nearly opposite.
    pub fn normal(self, other: Vector) -> Vector {
        let normal = (other + self).cross(other - self);
        if normal == Vector::new(0.0, 0.0, 0.0) { self.orthogonal() } else { normal }
    }

    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// The unit vector of the same direction; the zero vector stays.
    pub fn unit(self) -> Vector {
        let norm = self.norm();
        if norm == 0.0 { self } else { self * (1.0 / norm) }
    }

    /// The angle to another vector in radians.
    pub fn angle(self, other: Vector) -> f64 {
        self.cross(other).norm().atan2(self.dot(other))
    }

    /// A unit vector at right angles.
    pub fn orthogonal(self) -> Vector {
        let sizes = [self.x.abs(), self.y.abs(), self.z.abs()];
        // Away from the axis before the largest one; the small components keep the result off the axes.
        let away = match sizes {
            [x, y, z] if x > y && x > z => Vector::new(0.012, 0.0053, 1.0),
            [_, y, z] if y > z => Vector::new(1.0, 0.0053, 0.00457),
            _ => Vector::new(0.012, 1.0, 0.00457),
        };
        self.cross(away).unit()
    }
}

impl Add for Vector {
    type Output = Vector;
    fn add(self, other: Vector) -> Vector {
        Vector::new(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl Sub for Vector {
    type Output = Vector;
    fn sub(self, other: Vector) -> Vector {
        Vector::new(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Neg for Vector {
    type Output = Vector;
    fn neg(self) -> Vector {
        Vector::new(-self.x, -self.y, -self.z)
    }
}

impl Mul<f64> for Vector {
    type Output = Vector;
    fn mul(self, factor: f64) -> Vector {
        Vector::new(self.x * factor, self.y * factor, self.z * factor)
    }
}
