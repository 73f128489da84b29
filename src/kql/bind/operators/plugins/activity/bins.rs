//! Timelines as integers, and their bins.
use crate::types::{Kind, Value, datetime};

/// The kind of a timeline. Its points are integers: ticks, whole numbers, billionths of a real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis(pub Kind);

const BILLION: f64 = 1e9;

/// No point lies farther out: distances of points stay numbers.
const FARTHEST: f64 = 1e28;

impl Axis {
    /// The point of a value; none for null and NaN.
    pub fn of(self, value: &Value) -> Option<i128> {
        match value {
            Value::Real(real) if real.is_finite() => Some((real * BILLION).round().clamp(-FARTHEST, FARTHEST) as i128),
            other => other.as_long().map(i128::from),
        }
    }

    /// The value of a point; null where the kind does not reach it.
    pub fn value(self, point: i128) -> Value {
        let whole = || i64::try_from(point).ok();
        let found = match self.0 {
            Kind::Real => Some(Value::Real(point as f64 / BILLION)),
            Kind::DateTime => whole().and_then(datetime::checked).map(Value::DateTime),
            Kind::TimeSpan => whole().map(Value::TimeSpan),
            Kind::Int => i32::try_from(point).ok().map(Value::Int),
            _ => whole().map(Value::Long),
        };
        found.unwrap_or(Value::null(self.0))
    }

    /// Where `bin` begins to count.
    pub fn origin(self) -> i128 {
        if self.0 == Kind::DateTime { i128::from(datetime::MIN) } else { 0 }
    }
}

/// The kind of the distance of two points of a timeline.
pub fn timeline_width(kind: Kind) -> Kind {
    match kind {
        Kind::DateTime => Kind::TimeSpan,
        other => other,
    }
}

/// How wide bins are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Width(i128),
    Part(datetime::Part),
}

/// The part of the calendar that a word stands for.
pub fn calendar(word: &str) -> Option<datetime::Part> {
    match word.to_ascii_lowercase().as_str() {
        "week" => Some(datetime::Part::Week),
        "month" => Some(datetime::Part::Month),
        "year" => Some(datetime::Part::Year),
        _ => None,
    }
}

/// The bins of a timeline between two points; both ends count. Bin 0 holds the start.
#[derive(Clone, Copy, Debug)]
pub struct Bins {
    pub axis: Axis,
    pub start: i128,
    pub end: i128,
    pub step: Step,
}

impl Bins {
    pub fn holds(&self, point: i128) -> bool {
        (self.start..=self.end).contains(&point)
    }

    /// The bin of any point, also of one outside.
    pub fn bin(&self, point: i128) -> i64 {
        let bin = match self.step {
            Step::Width(width) => point.saturating_sub(self.start).div_euclid(width.max(1)),
            Step::Part(part) => i128::from(period(part, point) - period(part, self.start)),
        };
        i64::try_from(bin).unwrap_or(if bin < 0 { i64::MIN } else { i64::MAX })
    }

    /// Where a bin begins.
    pub fn begin(&self, bin: i64) -> i128 {
        match self.step {
            Step::Width(width) => self.start.saturating_add(i128::from(bin).saturating_mul(width)),
            Step::Part(part) => {
                let first = i64::try_from(self.start).ok().and_then(|start| datetime::start_of(start, part));
                let begin = first.and_then(|first| datetime::add(first, part, bin));
                begin.map_or(i128::from(datetime::MAX), i128::from)
            }
        }
    }

    /// The last bin; none where the end lies before the start.
    pub fn last(&self) -> Option<i64> {
        (self.start <= self.end).then(|| self.bin(self.end))
    }
}

/// The number of a calendar's period.
fn period(part: datetime::Part, point: i128) -> i64 {
    let ticks = i64::try_from(point).unwrap_or(if point < 0 { datetime::MIN } else { datetime::MAX });
    let (year, month, _) = datetime::civil(ticks);
    match part {
        datetime::Part::Year => i64::from(year),
        datetime::Part::Month => i64::from(year) * 12 + i64::from(month),
        // 1970-01-01 was a Thursday; weeks begin on Sunday.
        _ => (ticks.div_euclid(DAY) + 4).div_euclid(7),
    }
}

const DAY: i64 = 24 * 3600 * 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(text: &str) -> i128 {
        i128::from(datetime::parse(text).unwrap())
    }

    #[test]
    fn calendar_bins_begin_with_their_period() {
        for (part, begins) in [
            (datetime::Part::Week, ["2024-02-25", "2024-03-03"]),
            (datetime::Part::Month, ["2024-02-01", "2024-03-01"]),
            (datetime::Part::Year, ["2024-01-01", "2025-01-01"]),
        ] {
            let bins = Bins {
                axis: Axis(Kind::DateTime),
                start: ticks("2024-02-29"),
                end: ticks("2026-01-01"),
                step: Step::Part(part),
            };
            assert_eq!(begins.map(ticks), [bins.begin(0), bins.begin(1)], "{part:?}");
            assert_eq!((bins.bin(bins.begin(1)), bins.bin(bins.begin(1) - 1)), (1, 0), "{part:?}");
        }
    }

    #[test]
    fn tenths_fall_into_their_bins() {
        let axis = Axis(Kind::Real);
        let point = |real: f64| axis.of(&Value::Real(real)).unwrap();
        let bins = Bins { axis, start: 0, end: point(1.0), step: Step::Width(point(0.1)) };
        assert_eq!((bins.bin(point(0.3)), bins.bin(point(0.29))), (3, 2));
        assert_eq!(axis.value(bins.begin(3)), Value::Real(0.3));
    }
}
