//! Spans of time that are chosen where only the number of bins is said.

/// Bins where no number is said.
pub const DEFAULT_BINS: u64 = 100;

/// The spans that are chosen from, with their seconds.
const SPANS: [(i64, &str); 11] = [
    (1, "1s"),
    (5, "5s"),
    (10, "10s"),
    (30, "30s"),
    (60, "1m"),
    (300, "5m"),
    (600, "10m"),
    (1800, "30m"),
    (3600, "1h"),
    (86_400, "1d"),
    (2_592_000, "1mon"),
];

/// The narrowest span that needs no more than `bins` bins from `low` to `high`, in seconds, and that is wide enough; the
/// widest where there is none.
pub fn narrowest((low, high): (f64, f64), bins: u64, is_enough: impl Fn(i64, &str) -> bool) -> &'static str {
    let fits = |(seconds, span): &&(i64, &str)| {
        let crossed = (high / *seconds as f64).floor() - (low / *seconds as f64).floor();
        is_enough(*seconds, span) && crossed < bins as f64
    };
    SPANS.iter().find(fits).map_or("1mon", |(_, span)| span)
}
