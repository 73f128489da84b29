//! When a detection runs: by a schedule of its own, by a named one in a file, or as all do.
use super::super::detection::Schedule;
use super::super::document::{Node, parse_yaml};
use super::super::duration::{DAY, HOUR, MINUTE, SECOND, Ticks};
use super::super::fields::Said;
use crate::diagnostic::{Diagnostic, Source};
use std::path::Path;
use std::sync::Arc;

/// Folders above a detection in which the folder of named schedules is looked for.
const LEVELS: usize = 6;
/// Bytes that a schedule's file may have.
const SIZE_LIMIT: u64 = 1 << 20;
/// The name under which the schedule of all stands.
const DEFAULT: &str = "Default EventBasedDetection";

pub fn read(said: &mut Said, node: &Node, origin: &str) -> Schedule {
    let inline = node.get("deployment").and_then(|deployment| deployment.get("scheduling"));
    if let Some(own) = node.get("custom_schedule").or(inline) {
        return of_mapping(said, own);
    }
    let Some(name) = said.text(node, "schedule") else { return Schedule::default() };
    match named(&name, origin) {
        Some(schedule) => schedule,
        None if name == DEFAULT => Schedule::default(),
        None => {
            let message =
                format!("no file of a folder `schedules` has the schedule `{name}`: the default one is taken");
            let place = node.get("schedule").unwrap_or(node).span;
            said.0.push(Diagnostic::warning("HP222", message).at(place));
            Schedule::default()
        }
    }
}

fn of_mapping(said: &mut Said, node: &Node) -> Schedule {
    let default = Schedule::default();
    let mut text = |key: &str, otherwise: String| said.text(node, key).unwrap_or(otherwise);
    Schedule {
        cron: text("cron_schedule", default.cron),
        earliest: text("earliest_time", default.earliest),
        latest: text("latest_time", default.latest),
        window: text("schedule_window", default.window),
    }
}

/// The schedule of a name among the files of the folder `schedules` that is nearest above the detection.
fn named(name: &str, origin: &str) -> Option<Schedule> {
    let folders = Path::new(origin).ancestors().skip(1).take(LEVELS).map(|folder| folder.join("schedules"));
    let folder = folders.into_iter().find(|folder| folder.is_dir())?;
    let mut files: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().find_map(|file| of_file(name, file))
}

fn of_file(name: &str, file: &Path) -> Option<Schedule> {
    let is_yaml = file.extension().is_some_and(|end| end == "yml" || end == "yaml");
    let small = std::fs::metadata(file).is_ok_and(|data| data.len() <= SIZE_LIMIT);
    let text = (is_yaml && small).then(|| std::fs::read_to_string(file).ok())??;
    let source = Arc::new(Source { text, origin: file.display().to_string(), first_line: 1, indent: 0 });
    let document = parse_yaml(&source).ok()?.into_iter().next()?;
    let own = document.get("name").and_then(Node::text);
    let stem = file.file_stem()?.to_string_lossy();
    let same = own == Some(name) || *stem == *name || *stem == *name.to_lowercase().replace(' ', "_");
    let settings = document.get("scheduling").unwrap_or(&document);
    same.then(|| of_mapping(&mut Said::default(), settings))
}

/// How far apart a cron expression's runs are, for the forms that are evenly spaced; else an hour.
pub fn frequency(cron: &str) -> Ticks {
    let parts: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, _, weekday] = parts.as_slice() else { return HOUR };
    match (every(minute, 60), every(hour, 24), *day, *weekday) {
        (Some(minutes), _, _, _) if *hour == "*" => minutes * MINUTE,
        (None, Some(hours), _, _) => hours * HOUR,
        (None, None, "*", "*") => DAY,
        (None, None, "*", _) => 7 * DAY,
        (None, None, _, _) => 30 * DAY,
        _ => HOUR,
    }
}

/// Every how many units a field of a cron expression holds; none where it holds once in all.
fn every(field: &str, units: i64) -> Option<i64> {
    if field == "*" {
        return Some(1);
    }
    if let Some(step) = field.split_once('/').and_then(|(_, step)| step.parse::<i64>().ok()) {
        return Some(step.clamp(1, units));
    }
    let values = i64::try_from(field.split(',').count()).unwrap_or(1);
    (values > 1).then(|| (units / values).max(1))
}

/// How long the window between two relative times is; none where they are not both relative.
pub fn period(schedule: &Schedule) -> Option<Ticks> {
    let length = offset(&schedule.latest)?.checked_sub(offset(&schedule.earliest)?)?;
    (length > 0).then_some(length)
}

/// `-70m@m` as ticks before now, the snap left aside.
fn offset(text: &str) -> Option<Ticks> {
    let (amount, _) = text.split_once('@').unwrap_or((text, ""));
    if amount.is_empty() || amount == "now" {
        return Some(0);
    }
    let end = amount.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = amount.split_at_checked(end)?;
    let number: i64 = match number {
        "-" => -1,
        "+" => 1,
        number => number.parse().ok()?,
    };
    let unit = match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "mon" | "month" | "months" => 30 * DAY,
        "q" | "qtr" | "qtrs" | "quarter" | "quarters" => 91 * DAY,
        "y" | "yr" | "yrs" | "year" | "years" => 365 * DAY,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_expressions_are_evenly_spaced() {
        for (cron, expected) in [
            ("0 * * * *", HOUR),
            ("*/5 * * * *", 5 * MINUTE),
            ("0,30 * * * *", 30 * MINUTE),
            ("10 */4 * * *", 4 * HOUR),
            ("10 0 * * *", DAY),
            ("10 0 * * 1", 7 * DAY),
            ("10 0 1 * *", 30 * DAY),
            ("words", HOUR),
        ] {
            assert_eq!(frequency(cron), expected, "{cron}");
        }
    }

    #[test]
    fn a_window_lies_between_two_relative_times() {
        let of = |earliest: &str, latest: &str| {
            period(&Schedule { earliest: earliest.into(), latest: latest.into(), ..Schedule::default() })
        };
        assert_eq!(of("-70m@m", "-10m@m"), Some(HOUR));
        assert_eq!(of("-1d@d", "@d"), Some(DAY));
        assert_eq!(of("-24h", "now"), Some(DAY));
        assert_eq!(of("-1h", "-2h"), None);
        assert_eq!(of("0", "now"), None);
    }
}
