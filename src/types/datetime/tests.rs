use super::*;

fn at(text: &str) -> i64 {
    parse(text).unwrap_or_else(|| panic!("{text} is no datetime"))
}

fn format_datetime(ticks: i64, pattern: &str) -> Option<String> {
    let mut out = String::new();
    Pattern::new(pattern).write(ticks, &mut out)?;
    Some(out)
}

fn says(text: &str, canonical: &str) {
    assert_eq!(parse(text).map(format).as_deref(), Some(canonical), "{text}");
}

#[test]
fn reads_iso_8601() {
    says("2014-05-25T08:20:03.123456Z", "2014-05-25T08:20:03.1234560Z");
    says("2014-05-25T08:20:03.123456", "2014-05-25T08:20:03.1234560Z");
    says("2014-05-25T08:20", "2014-05-25T08:20:00.0000000Z");
    says("2014-11-08 15:55:55.123456Z", "2014-11-08T15:55:55.1234560Z");
    says("2014-11-08 15:55:55", "2014-11-08T15:55:55.0000000Z");
    says("2014-11-08 15:55", "2014-11-08T15:55:00.0000000Z");
    says("2014-11-08", "2014-11-08T00:00:00.0000000Z");
    says("2014-11", "2014-11-01T00:00:00.0000000Z");
    says("2015", "2015-01-01T00:00:00.0000000Z");
    says("1970-5-12", "1970-05-12T00:00:00.0000000Z");
    says("2017 - 08 - 01", "2017-08-01T00:00:00.0000000Z");
    says("2015.12.31 23:59:59.9", "2015-12-31T23:59:59.9000000Z");
    says("2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00.1234567Z");
    says("2020-01-01T01:00:00.25+00:00", "2020-01-01T01:00:00.2500000Z");
    says("2020-01-01T01:00:00+02:00", "2019-12-31T23:00:00.0000000Z");
    says("2020-01-01T01:00:00.5-0530", "2020-01-01T06:30:00.5000000Z");
    says("2022-01-01T13:00:00+1", "2022-01-01T12:00:00.0000000Z");
    says("  2020-01-01T00:00:00Z \n", "2020-01-01T00:00:00.0000000Z");
    says("20140525", "2014-05-25T00:00:00.0000000Z");
    says("20140525T082003Z", "2014-05-25T08:20:03.0000000Z");
    says("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z");
    says("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z");
}

#[test]
fn reads_the_forms_of_the_documentation() {
    for text in ["Sat, 8 Nov 14 15:05:02 GMT", "8 Nov 14 15:05:02 GMT", "Saturday, 08-Nov-14 15:05:02 GMT"] {
        says(text, "2014-11-08T15:05:02.0000000Z");
    }
    for text in ["Sat, 8 Nov 2014 15:05:02", "08-Nov-14 15:05:02", "8 Nov 14 15:05:02", "2014-11-08T15:05:02 GMT"] {
        says(text, "2014-11-08T15:05:02.0000000Z");
    }
    for text in ["Sat, 8 Nov 14 15:05", "8 Nov 14 15:05 GMT", "08-Nov-14 15:05 GMT", "2014-11-08 15:05 GMT"] {
        says(text, "2014-11-08T15:05:00.0000000Z");
    }
    says("Nov 8, 2014 15:05", "2014-11-08T15:05:00.0000000Z");
    says("8 November 1999", "1999-11-08T00:00:00.0000000Z");
    says("8 Nov 69", "1969-11-08T00:00:00.0000000Z");
    says("Sat, 8 Nov 2014 15:05:02 EST", "2014-11-08T20:05:02.0000000Z");
}

#[test]
fn reads_the_month_first() {
    says("4/28/2021, 3:05:26.000 PM", "2021-04-28T15:05:26.0000000Z");
    says("04/28/2021 15:05", "2021-04-28T15:05:00.0000000Z");
    says("01-01-2022", "2022-01-01T00:00:00.0000000Z");
    says("12/31/2021 12:00:00 AM", "2021-12-31T00:00:00.0000000Z");
    says("12/31/2021 12:30 PM", "2021-12-31T12:30:00.0000000Z");
    assert_eq!(parse("13-01-2022"), None);
}

#[test]
fn other_texts_are_null() {
    let wrong = [
        "",
        " ",
        "null",
        "x",
        "0000-01-01",
        "2021-02-29",
        "2021-13-01",
        "2021-00-10",
        "2021-01-01T24:00:00Z",
        "2021-01-01T23:60:00Z",
        "2021-01-01T23:59:60Z",
        "2021-01-01T",
        "2021-01-01T10",
        "2021-01-01T10:00:00.Z",
        "2021-01-01T10:00:00Zx",
        "2021-01-01T10:00:00+15:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "12345",
        "99999999999999999999",
        "15:05",
        "13:00 PM",
        "1/1/2020 13:00 PM",
        "2021-01/01",
        "２０２１-01-01",
    ];
    for text in wrong {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn parts() {
    let ticks = at("2017-10-30 01:02:03.7654321");
    let expected = [
        ("year", 2017),
        ("quarter", 4),
        ("month", 10),
        ("week_of_year", 44),
        ("day", 30),
        ("dayOfYear", 303),
        ("hour", 1),
        ("minute", 2),
        ("second", 3),
        ("millisecond", 765),
        ("microsecond", 765_432),
        ("nanosecond", 765_432_100),
    ];
    for (name, value) in expected {
        assert_eq!(part(ticks, Part::parse(name).unwrap()), value, "{name}");
    }
    assert_eq!(part(at("1969-12-31T23:59:59.9Z"), Part::Millisecond), 900);
    assert_eq!(part(MIN, Part::Week), 1);
    assert_eq!(week_of_year(at("2021-01-03")), 53);
    assert_eq!(day_of_year(at("2020-12-31")), 366);
    assert_eq!([at("1947-11-30"), at("1970-05-11"), MIN].map(day_of_week), [0, 1, 1]);
}

#[test]
fn starts_and_ends() {
    let ticks = at("2017-01-01 10:10:17");
    assert_eq!(end_of(ticks, Part::Week), parse("2017-01-07T23:59:59.9999999Z"));
    assert_eq!(start_of(ticks, Part::Week), parse("2017-01-01"));
    assert_eq!(end_of(ticks, Part::Year), parse("2017-12-31T23:59:59.9999999Z"));
    assert_eq!(end_of(at("2020-02-10"), Part::Month), parse("2020-02-29T23:59:59.9999999Z"));
    assert_eq!(end_of(at("2020-05-10"), Part::Quarter), parse("2020-06-30T23:59:59.9999999Z"));
    assert_eq!(start_of(at("2020-05-10"), Part::Quarter), parse("2020-04-01"));
    assert_eq!(end_of(ticks, Part::Day), parse("2017-01-01T23:59:59.9999999Z"));
    assert_eq!(end_of(MAX, Part::Year), Some(MAX));
    assert_eq!(end_of(MAX, Part::Day), Some(MAX));
    assert_eq!(end_of(MAX, Part::Week), None);
    assert_eq!(start_of(MIN, Part::Week), None);
    assert_eq!(start_of(MIN, Part::Month), Some(MIN));
}

#[test]
fn bins() {
    assert_eq!(floor(at("1970-05-11 13:45:07"), TICKS_PER_DAY), parse("1970-05-11"));
    assert_eq!(floor(at("2018-07-05"), 7 * TICKS_PER_DAY), parse("2018-07-02"));
    assert_eq!(floor(at("2018-07-05"), 0), None);
    assert_eq!(floor(at("2018-07-05"), -1), None);
    assert_eq!(floor(MAX, i64::MAX), Some(MIN));
}

#[test]
fn adds() {
    assert_eq!(add(at("2020-01-31"), Part::Month, 1), parse("2020-02-29"));
    assert_eq!(add(at("2020-02-29"), Part::Year, -1), parse("2019-02-28"));
    assert_eq!(add(at("2020-01-31 10:00"), Part::Quarter, 1), parse("2020-04-30 10:00"));
    assert_eq!(add(at("2020-01-01"), Part::Week, -1), parse("2019-12-25"));
    assert_eq!(add(at("2020-01-01"), Part::Nanosecond, 250), Some(at("2020-01-01") + 2));
    for part in [Part::Year, Part::Month, Part::Week, Part::Day, Part::Microsecond] {
        assert_eq!(add(MAX, part, i64::MAX), None);
        assert_eq!(add(MIN, part, i64::MIN), None);
    }
    assert_eq!(add(MAX, Part::Day, 1), None);
}

#[test]
fn counts_boundaries() {
    let cases = [
        ("year", "2017-01-01", "2000-12-31", 17),
        ("quarter", "2017-07-01", "2017-03-30", 2),
        ("month", "2017-01-01", "2015-12-30", 13),
        ("week", "2017-10-29 00:00", "2017-09-30 23:59", 5),
        ("day", "2017-10-29 00:00", "2017-09-30 23:59", 29),
        ("hour", "2017-10-31 01:00", "2017-10-30 23:59", 2),
        ("minute", "2017-10-30 23:05:01", "2017-10-30 23:00:59", 5),
        ("second", "2017-10-30 23:00:10.100", "2017-10-30 23:00:00.900", 10),
        ("millisecond", "2017-10-30 23:00:00.200100", "2017-10-30 23:00:00.100900", 100),
        ("microsecond", "2017-10-30 23:00:00.1009001", "2017-10-30 23:00:00.1008009", 100),
        ("nanosecond", "2017-10-30 23:00:00.0000000", "2017-10-30 23:00:00.0000007", -700),
    ];
    for (name, later, earlier, count) in cases {
        assert_eq!(diff(Part::parse(name).unwrap(), at(later), at(earlier)), Some(count), "{name}");
    }
    assert_eq!(diff(Part::Nanosecond, MAX, MIN), None);
}

#[test]
fn converts_unix_times() {
    assert_eq!(from_unix(1_546_897_531, Part::Second), parse("2019-01-07 21:45:31"));
    assert_eq!(from_unix(1_546_300_800_000_000, Part::Microsecond), parse("2019-01-01"));
    assert_eq!(from_unix(i64::MAX, Part::Second), None);
    assert_eq!(from_unix(i64::MAX, Part::Nanosecond).map(civil), Some((2262, 4, 11)));
    assert_eq!(from_unix_real(1.5, Part::Second), Some(15_000_000));
    assert_eq!(from_unix_real(f64::NAN, Part::Second), None);
    assert_eq!(from_unix_real(1e300, Part::Nanosecond), None);
    assert_eq!(to_unix(-1, Part::Second), Some(-1));
    assert_eq!(to_unix(MAX, Part::Nanosecond), None);
}

#[test]
fn writes_patterns() {
    let ticks = at("2017-01-29 09:00:05");
    let says = |pattern: &str| format_datetime(ticks, pattern);
    assert_eq!(says("yy-MM-dd [HH:mm:ss]").as_deref(), Some("17-01-29 [09:00:05]"));
    assert_eq!(says("yyyy-M-dd [H:mm:ss]").as_deref(), Some("2017-1-29 [9:00:05]"));
    assert_eq!(says("yy-MM-dd [hh:mm:ss tt]").as_deref(), Some("17-01-29 [09:00:05 AM]"));
    assert_eq!(says("yyyy-MM-ddTHH:mm:ssZ").as_deref(), Some("2017-01-29T09:00:05Z"));
    assert_eq!(says("MMM"), None);
    assert_eq!(says("x"), None);
    let precise = at("2015-12-14 02:03:04.12345");
    assert_eq!(format_datetime(precise, "y-M-d h:m:s.fffffff").as_deref(), Some("15-12-14 2:3:4.1234500"));
    assert_eq!(format_datetime(precise, "FFFFFFF").as_deref(), Some("12345"));
    assert_eq!(format_datetime(at("0900-01-01"), "y yy yyyy hh tt").as_deref(), Some("0 00 0900 12 AM"));
}

#[test]
fn converts_local_times() {
    let cases = [
        ("2020-02-02 20:02:20", "US/Pacific", "2020-02-03 04:02:20"),
        ("2020-02-02 20:02:20", "America/Chicago", "2020-02-03 02:02:20"),
        ("2020-02-02 20:02:20", "Europe/Paris", "2020-02-02 19:02:20"),
        ("2022-03-27 01:00:00", "Europe/Brussels", "2022-03-27 00:00:00"),
        ("2022-03-27 02:00:00", "Europe/Brussels", "2022-03-27 00:00:00"),
        ("2022-03-27 03:00:00", "Europe/Brussels", "2022-03-27 01:00:00"),
    ];
    for (local, zone, utc) in cases {
        assert_eq!(local_to_utc(at(local), zone), parse(utc), "{local} {zone}");
    }
    assert_eq!(utc_to_local(at("2022-03-27 01:00:00"), "Europe/Brussels"), parse("2022-03-27 03:00:00"));
    assert_eq!(utc_to_local(at("2022-03-27"), "No/Where"), None);
    assert_eq!(utc_to_local(MAX, "Asia/Tokyo"), None);
    assert_eq!(local_to_utc(MIN, "Asia/Tokyo"), None);
}

proptest::proptest! {
    #[test]
    fn text_gives_the_value_back(ticks in MIN..=MAX) {
        let text = format(ticks);
        proptest::prop_assert_eq!(parse(&text), Some(ticks));
        proptest::prop_assert_eq!(parse(text.trim_end_matches('Z')), Some(ticks));
        let (year, month, day) = civil(ticks);
        let midnight = from_civil(year, month, day, 0, 0, 0, 0);
        proptest::prop_assert_eq!(midnight.map(|start| start + time_of_day(ticks)), Some(ticks));
    }

    #[test]
    fn the_calendar_is_chronos(days in -719_162_i64..=2_932_896) {
        use chrono::Datelike;
        let date = chrono::NaiveDate::from_num_days_from_ce_opt((days + 719_163) as i32).unwrap();
        let ticks = days * TICKS_PER_DAY;
        proptest::prop_assert_eq!(civil(ticks), (date.year(), date.month(), date.day()));
        proptest::prop_assert_eq!(day_of_year(ticks), i64::from(date.ordinal()));
        proptest::prop_assert_eq!(day_of_week(ticks), i64::from(date.weekday().num_days_from_sunday()));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text: String, pattern: String) {
        let _ = (parse(&text), format_datetime(0, &pattern));
    }

    #[test]
    fn texts_like_datetimes_are_read_without_a_panic(text in "[A-Za-z]{0,9},? ?[0-9/. -]{0,12}[T ,]{0,2}[0-9:.]{0,16} ?[APMZ+-]{0,2}[0-9:]{0,6}") {
        let _ = parse(&text);
    }

    #[test]
    fn calendar_arithmetic_stays_in_range(ticks in MIN..=MAX, other in MIN..=MAX, amount: i64, index in 0_usize..12) {
        use Part::*;
        let all = [Year, Quarter, Month, Week, Day, DayOfYear, Hour, Minute, Second, Millisecond, Microsecond, Nanosecond];
        let chosen = all[index];
        let results = [add(ticks, chosen, amount), start_of(ticks, chosen), end_of(ticks, chosen), floor(ticks, amount)];
        proptest::prop_assert!(results.into_iter().flatten().all(|result| checked(result).is_some()));
        let _ = (diff(chosen, ticks, other), part(ticks, chosen), to_unix(ticks, chosen), from_unix(amount, chosen));
    }
}
