//! Units of measure: values of one unit in another, sizes in bytes.
//!
//! The names and the factors are those that Kusto's own results show: a few factors are rounded there, as the
//! foot-pound's and the acre-foot's.
use super::row::{Maybe, Real, Str};
use crate::types::number;
use std::f64::consts::PI;

/// A unit: a value times `numerator / denominator`, plus `zero`, is the value in the quantity's base unit.
struct Unit {
    name: &'static str,
    numerator: f64,
    denominator: f64,
    zero: f64,
    /// The prefixes it is known with: `Kilo` before `Meter` makes `Kilometer`.
    prefixes: &'static str,
}

const fn unit(name: &'static str, numerator: f64, denominator: f64) -> Unit {
    Unit { name, numerator, denominator, zero: 0.0, prefixes: "" }
}

impl Unit {
    const fn with(self, prefixes: &'static str) -> Unit {
        Unit { prefixes, ..self }
    }

    const fn from(self, zero: f64) -> Unit {
        Unit { zero, ..self }
    }

    /// What the name's prefix multiplies by, where the name is this unit's.
    fn prefix(&self, name: &str) -> Option<f64> {
        if name.eq_ignore_ascii_case(self.name) {
            return Some(1.0);
        }
        let own = |prefix: &&str| {
            let rest = name.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
            rest.and_then(|_| name.get(prefix.len()..)).is_some_and(|rest| rest.eq_ignore_ascii_case(self.name))
        };
        self.prefixes.split(' ').find(own).and_then(power)
    }
}

fn power(prefix: &str) -> Option<f64> {
    Some(match prefix {
        "Nano" => 1e-9,
        "Micro" => 1e-6,
        "Milli" => 1e-3,
        "Centi" => 1e-2,
        "Deci" => 1e-1,
        "Deca" => 1e1,
        "Hecto" => 1e2,
        "Kilo" => 1e3,
        "Mega" => 1e6,
        "Giga" => 1e9,
        "Tera" => 1e12,
        _ => return None,
    })
}

fn find<'a>(units: &'a [Unit], name: &str) -> Option<(&'a Unit, f64)> {
    units.iter().find_map(|unit| Some((unit, unit.prefix(name)?)))
}

fn to_base(units: &[Unit], value: f64, name: &str) -> Option<f64> {
    let (unit, prefix) = find(units, name)?;
    Some(value * prefix * unit.numerator / unit.denominator + unit.zero)
}

fn of_base(units: &[Unit], base: f64, name: &str) -> Option<f64> {
    let (unit, prefix) = find(units, name)?;
    Some((base - unit.zero) * unit.denominator / unit.numerator / prefix)
}

fn convert(units: &[Unit], value: f64, from: &str, to: &str) -> Option<f64> {
    of_base(units, to_base(units, value, from)?, to)
}

/// A tilt is the sine of its angle, and no multiple of any unit.
const TILT: &str = "Tilt";

fn angle(value: f64, from: &str, to: &str) -> Option<f64> {
    let degrees = match from.eq_ignore_ascii_case(TILT) {
        true => value.asin().to_degrees(),
        false => to_base(ANGLE, value, from)?,
    };
    match to.eq_ignore_ascii_case(TILT) {
        true => Some(degrees.to_radians().sin()),
        false => of_base(ANGLE, degrees, to),
    }
}

const SIZES: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];

fn bytes(size: f64, precision: f64, unit: &str) -> Option<String> {
    let named = |unit: &str| SIZES.iter().position(|known| known.eq_ignore_ascii_case(unit));
    let reached = |power: &usize| size.abs() >= 1024_f64.powi(*power as i32);
    let power = match unit {
        "" => (1..SIZES.len()).rev().find(reached).unwrap_or(0),
        unit => named(unit)?,
    };
    let shown = number::round(size / 1024_f64.powi(power as i32), number::real_to_long(precision)?);
    Some(format!("{} {}", number::format_real(shown), SIZES.get(power)?))
}

const ANGLE: &[Unit] = &[
    unit("Arcminute", 1.0, 60.0),
    unit("Arcsecond", 1.0, 3600.0),
    unit("Degree", 1.0, 1.0).with("Micro Milli Nano"),
    unit("Gradian", 0.9, 1.0),
    unit("NatoMil", 9.0, 160.0),
    unit("Radian", 180.0, PI).with("Centi Deci Micro Milli Nano"),
    unit("Revolution", 360.0, 1.0),
];

const ENERGY: &[Unit] = &[
    unit("BritishThermalUnit", 1055.05585262, 1.0).with("Giga Kilo Mega"),
    unit("Calorie", 4.184, 1.0).with("Kilo Mega"),
    unit("ElectronVolt", 1.602176565e-19, 1.0).with("Giga Kilo Mega Tera"),
    unit("Erg", 1e-7, 1.0),
    unit("FootPound", 1.355817948, 1.0),
    unit("HorsepowerHour", 2.6845195377e6, 1.0),
    unit("Joule", 1.0, 1.0).with("Giga Kilo Mega Milli"),
    unit("ThermEc", 1.05505585262e8, 1.0).with("Deca"),
    unit("ThermImperial", 1.05505585257348e8, 1.0).with("Deca"),
    unit("ThermUs", 1.054804e8, 1.0).with("Deca"),
    unit("WattDay", 24.0 * 3600.0, 1.0).with("Giga Kilo Mega Tera"),
    unit("WattHour", 3600.0, 1.0).with("Giga Kilo Mega Tera"),
];

const FORCE: &[Unit] = &[
    unit("Dyn", 1.0, 1e5),
    unit("KilogramForce", 9.80665002864, 1.0),
    unit("KiloPond", 9.80665002864, 1.0),
    unit("Newton", 1.0, 1.0).with("Deca Kilo Mega Micro Milli"),
    unit("OunceForce", 2.780138509537812e-1, 1.0),
    unit("Poundal", 0.1382550279897304, 1.0),
    unit("PoundForce", 4.448221615260509, 1.0).with("Kilo"),
    unit("ShortTonForce", 8.896443230521e3, 1.0),
    unit("TonneForce", 9.80665002864e3, 1.0),
];

const LENGTH: &[Unit] = &[
    unit("Angstrom", 1e-10, 1.0),
    unit("AstronomicalUnit", 1.4959787070e11, 1.0),
    unit("Chain", 20.1168, 1.0),
    unit("DataMile", 1828.8, 1.0),
    unit("DtpPica", 1.0, 236.220472441),
    unit("DtpPoint", 2.54e-2, 72.0),
    unit("Fathom", 1.8288, 1.0),
    unit("Foot", 0.3048, 1.0),
    unit("Hand", 1.016e-1, 1.0),
    unit("Inch", 2.54e-2, 1.0),
    unit("LightYear", 9.46073047258e15, 1.0).with("Kilo Mega"),
    unit("Meter", 1.0, 1.0).with("Centi Deca Deci Hecto Kilo Micro Milli Nano"),
    unit("Microinch", 2.54e-8, 1.0),
    unit("Mil", 2.54e-5, 1.0),
    unit("Mile", 1609.34, 1.0),
    unit("NauticalMile", 1852.0, 1.0),
    unit("Parsec", 3.08567758128e16, 1.0).with("Kilo Mega"),
    unit("PrinterPica", 1.0, 237.106301584),
    unit("PrinterPoint", 2.54e-2, 72.27),
    unit("Shackle", 27.432, 1.0),
    unit("SolarRadius", 6.95510000e08, 1.0),
    unit("Twip", 1.0, 56692.913385826),
    unit("UsSurveyFoot", 1200.0, 3937.0),
    unit("Yard", 0.9144, 1.0),
];

const MASS: &[Unit] = &[
    unit("EarthMass", 5.9722e24, 1.0),
    unit("Grain", 1.0, 15432.358352941431),
    unit("Gram", 1.0, 1e3).with("Centi Deca Deci Hecto Kilo Micro Milli Nano"),
    unit("LongHundredweight", 1.0, 0.01968413055222121),
    unit("LongTon", 1.0160469088e3, 1.0),
    unit("Ounce", 1.0, 35.2739619),
    unit("Pound", 0.45359237, 1.0).with("Kilo Mega"),
    unit("ShortHundredweight", 1.0, 0.022046226218487758),
    unit("ShortTon", 9.0718474e2, 1.0),
    unit("Slug", 1.0, 6.852176556196105e-2),
    unit("SolarMass", 1.98947e30, 1.0),
    unit("Stone", 1.0, 0.1574731728702698),
    unit("Tonne", 1e3, 1.0).with("Kilo Mega"),
];

const SPEED: &[Unit] = &[
    unit("FootPerHour", 0.3048, 3600.0),
    unit("FootPerMinute", 0.3048, 60.0),
    unit("FootPerSecond", 0.3048, 1.0),
    unit("InchPerHour", 2.54e-2, 3600.0),
    unit("InchPerMinute", 2.54e-2, 60.0),
    unit("InchPerSecond", 2.54e-2, 1.0),
    unit("Knot", 0.514444, 1.0),
    unit("MeterPerHour", 1.0, 3600.0).with("Centi Kilo Milli"),
    unit("MeterPerMinute", 1.0, 60.0).with("Centi Deci Kilo Micro Milli Nano"),
    unit("MeterPerSecond", 1.0, 1.0).with("Centi Deci Kilo Micro Milli Nano"),
    unit("MilePerHour", 0.44704, 1.0),
    unit("UsSurveyFootPerHour", 1200.0, 3937.0 * 3600.0),
    unit("UsSurveyFootPerMinute", 1200.0, 3937.0 * 60.0),
    unit("UsSurveyFootPerSecond", 1200.0, 3937.0),
    unit("YardPerHour", 0.9144, 3600.0),
    unit("YardPerMinute", 0.9144, 60.0),
    unit("YardPerSecond", 0.9144, 1.0),
];

const TEMPERATURE: &[Unit] = &[
    unit("DegreeCelsius", 1.0, 1.0).from(273.15).with("Milli"),
    unit("DegreeDelisle", -2.0, 3.0).from(373.15),
    unit("DegreeFahrenheit", 5.0, 9.0).from(459.67 * 5.0 / 9.0),
    unit("DegreeNewton", 100.0, 33.0).from(273.15),
    unit("DegreeRankine", 5.0, 9.0),
    unit("DegreeReaumur", 5.0, 4.0).from(273.15),
    unit("DegreeRoemer", 40.0, 21.0).from(273.15 - 7.5 * 40.0 / 21.0),
    unit("Kelvin", 1.0, 1.0),
    unit("SolarTemperature", 5778.0, 1.0),
];

const VOLUME: &[Unit] = &[
    unit("AcreFoot", 1.0, 0.000810714),
    unit("AuTablespoon", 2e-5, 1.0),
    unit("BoardFoot", 2.3597372158e-3, 1.0),
    unit("CubicCentimeter", 1.0, 1e6),
    unit("CubicDecimeter", 1.0, 1e3),
    unit("CubicFoot", 2.8316846592e-2, 1.0).with("Hecto Kilo Mega"),
    unit("CubicHectometer", 1e6, 1.0),
    unit("CubicInch", 1.6387e-5, 1.0),
    unit("CubicKilometer", 1e9, 1.0),
    unit("CubicMeter", 1.0, 1.0).with("Hecto Kilo"),
    unit("CubicMicrometer", 1.0, 1e18),
    unit("CubicMile", 4.16818182544058e9, 1.0),
    unit("CubicMillimeter", 1.0, 1e9),
    unit("CubicYard", 0.764554858, 1.0),
    unit("ImperialBeerBarrel", 0.16365924, 1.0),
    unit("ImperialGallon", 0.0045460900000018145, 1.0).with("Kilo Mega"),
    unit("ImperialOunce", 2.84130624999629e-05, 1.0),
    unit("ImperialPint", 5.6826125e-4, 1.0),
    unit("Liter", 1.0, 1e3).with("Centi Deca Deci Hecto Kilo Mega Micro Milli"),
    unit("MetricCup", 0.00025, 1.0),
    unit("MetricTeaspoon", 0.5e-5, 1.0),
    unit("OilBarrel", 0.158987294928, 1.0),
    unit("UkTablespoon", 1.5e-5, 1.0),
    unit("UsBeerBarrel", 0.1173477658, 1.0),
    unit("UsCustomaryCup", 0.0002365882365, 1.0),
    unit("UsGallon", 0.00378541, 1.0).with("Deca Deci Hecto Kilo Mega"),
    unit("UsLegalCup", 0.00024, 1.0),
    unit("UsOunce", 2.9573529562537606e-05, 1.0),
    unit("UsPint", 4.73176473e-4, 1.0),
    unit("UsQuart", 9.46352946e-4, 1.0),
    unit("UsTablespoon", 1.478676478125e-5, 1.0),
    unit("UsTeaspoon", 4.92892159375e-6, 1.0),
];

crate::scalars! {
    /// An angle of one unit in another; null where a unit is unknown.
    ///
    /// Units: Arcminute, Arcsecond, Centiradian, Deciradian, Degree, Gradian, Microdegree, Microradian, Millidegree,
    /// Milliradian, Nanodegree, Nanoradian, NatoMil, Radian, Revolution, Tilt.
    ///
    /// Source: convert-angle-function.
    ///
    /// ```kql
    /// convert_angle(1.2, 'Degree', 'Arcminute') // 72
    /// convert_angle(1, 'Degree', 'Mile') // null
    /// ```
    kql fn convert_angle (value: Real, from: Str, to: Str) -> Option<f64> { angle(value, from, to) }

    /// An energy of one unit in another; null where a unit is unknown.
    ///
    /// Units: BritishThermalUnit, Calorie, DecathermEc, DecathermImperial, DecathermUs, ElectronVolt, Erg, FootPound,
    /// GigabritishThermalUnit, GigaelectronVolt, Gigajoule, GigawattDay, GigawattHour, HorsepowerHour, Joule,
    /// KilobritishThermalUnit, Kilocalorie, KiloelectronVolt, Kilojoule, KilowattDay, KilowattHour,
    /// MegabritishThermalUnit, Megacalorie, MegaelectronVolt, Megajoule, MegawattDay, MegawattHour, Millijoule,
    /// TeraelectronVolt, TerawattDay, TerawattHour, ThermEc, ThermImperial, ThermUs, WattDay, WattHour.
    ///
    /// Source: convert-energy-function.
    ///
    /// ```kql
    /// convert_energy(1, 'KilowattHour', 'Joule') // 3600000
    /// ```
    kql fn convert_energy (value: Real, from: Str, to: Str) -> Option<f64> { convert(ENERGY, value, from, to) }

    /// A force of one unit in another; null where a unit is unknown.
    ///
    /// Units: Decanewton, Dyn, KilogramForce, Kilonewton, KiloPond, KilopoundForce, Meganewton, Micronewton,
    /// Millinewton, Newton, OunceForce, Poundal, PoundForce, ShortTonForce, TonneForce.
    ///
    /// Source: convert-force-function.
    ///
    /// ```kql
    /// convert_force(1.2, 'Newton', 'Decanewton') // 0.12
    /// ```
    kql fn convert_force (value: Real, from: Str, to: Str) -> Option<f64> { convert(FORCE, value, from, to) }

    /// A length of one unit in another; null where a unit is unknown.
    ///
    /// Units: Angstrom, AstronomicalUnit, Centimeter, Chain, DataMile, Decameter, Decimeter, DtpPica, DtpPoint,
    /// Fathom, Foot, Hand, Hectometer, Inch, KilolightYear, Kilometer, Kiloparsec, LightYear, MegalightYear,
    /// Megaparsec, Meter, Microinch, Micrometer, Mil, Mile, Millimeter, Nanometer, NauticalMile, Parsec, PrinterPica,
    /// PrinterPoint, Shackle, SolarRadius, Twip, UsSurveyFoot, Yard.
    ///
    /// Source: convert-length-function.
    ///
    /// ```kql
    /// convert_length(1, 'Foot', 'Centimeter') // 30.48
    /// ```
    kql fn convert_length (value: Real, from: Str, to: Str) -> Option<f64> { convert(LENGTH, value, from, to) }

    /// A mass of one unit in another; null where a unit is unknown.
    ///
    /// Units: Centigram, Decagram, Decigram, EarthMass, Grain, Gram, Hectogram, Kilogram, Kilopound, Kilotonne,
    /// LongHundredweight, LongTon, Megapound, Megatonne, Microgram, Milligram, Nanogram, Ounce, Pound,
    /// ShortHundredweight, ShortTon, Slug, SolarMass, Stone, Tonne.
    ///
    /// Source: convert-mass-function.
    ///
    /// ```kql
    /// convert_mass(2, 'Tonne', 'Kilogram') // 2000
    /// ```
    kql fn convert_mass (value: Real, from: Str, to: Str) -> Option<f64> { convert(MASS, value, from, to) }

    /// A speed of one unit in another; null where a unit is unknown.
    ///
    /// Units: CentimeterPerHour, CentimeterPerMinute, CentimeterPerSecond, DecimeterPerMinute, DecimeterPerSecond,
    /// FootPerHour, FootPerMinute, FootPerSecond, InchPerHour, InchPerMinute, InchPerSecond, KilometerPerHour,
    /// KilometerPerMinute, KilometerPerSecond, Knot, MeterPerHour, MeterPerMinute, MeterPerSecond,
    /// MicrometerPerMinute, MicrometerPerSecond, MilePerHour, MillimeterPerHour, MillimeterPerMinute,
    /// MillimeterPerSecond, NanometerPerMinute, NanometerPerSecond, UsSurveyFootPerHour, UsSurveyFootPerMinute,
    /// UsSurveyFootPerSecond, YardPerHour, YardPerMinute, YardPerSecond.
    ///
    /// Source: convert-speed-function.
    ///
    /// ```kql
    /// convert_speed(1.2, 'MeterPerSecond', 'CentimeterPerHour') // 432000
    /// ```
    kql fn convert_speed (value: Real, from: Str, to: Str) -> Option<f64> { convert(SPEED, value, from, to) }

    /// A temperature of one unit in another; null where a unit is unknown.
    ///
    /// Units: DegreeCelsius, DegreeDelisle, DegreeFahrenheit, DegreeNewton, DegreeRankine, DegreeReaumur,
    /// DegreeRoemer, Kelvin, MillidegreeCelsius, SolarTemperature.
    ///
    /// Source: convert-temperature-function.
    ///
    /// ```kql
    /// round(convert_temperature(212, 'DegreeFahrenheit', 'DegreeCelsius'), 6) // 100
    /// ```
    kql fn convert_temperature (value: Real, from: Str, to: Str) -> Option<f64> { convert(TEMPERATURE, value, from, to) }

    /// A volume of one unit in another; null where a unit is unknown.
    ///
    /// Units: AcreFoot, AuTablespoon, BoardFoot, Centiliter, CubicCentimeter, CubicDecimeter, CubicFoot,
    /// CubicHectometer, CubicInch, CubicKilometer, CubicMeter, CubicMicrometer, CubicMile, CubicMillimeter,
    /// CubicYard, Decaliter, DecausGallon, Deciliter, DeciusGallon, HectocubicFoot, HectocubicMeter, Hectoliter,
    /// HectousGallon, ImperialBeerBarrel, ImperialGallon, ImperialOunce, ImperialPint, KilocubicFoot, KilocubicMeter,
    /// KiloimperialGallon, Kiloliter, KilousGallon, Liter, MegacubicFoot, MegaimperialGallon, Megaliter,
    /// MegausGallon, MetricCup, MetricTeaspoon, Microliter, Milliliter, OilBarrel, UkTablespoon, UsBeerBarrel,
    /// UsCustomaryCup, UsGallon, UsLegalCup, UsOunce, UsPint, UsQuart, UsTablespoon, UsTeaspoon.
    ///
    /// Source: convert-volume-function.
    ///
    /// ```kql
    /// convert_volume(1.2, 'CubicMeter', 'AcreFoot') // 0.0009728568
    /// ```
    kql fn convert_volume (value: Real, from: Str, to: Str) -> Option<f64> { convert(VOLUME, value, from, to) }

    /// A number of bytes as text with a unit, Bytes, KB, MB, GB, TB, PB or EB: the one given, else the largest that
    /// the number reaches. Rounded to so many decimals, none unless given. Empty where the unit is unknown.
    ///
    /// Source: format-bytes-function.
    ///
    /// ```kql
    /// format_bytes(564) // 564 Bytes
    /// format_bytes(10332, 1) // 10.1 KB
    /// format_bytes(20010332, 0, "KB") // 19541 KB
    /// ```
    kql fn format_bytes (size: Real, precision: Maybe<Real>, units: Maybe<Str>) -> Option<String> {
        bytes(size, precision.unwrap_or(0.0), units.unwrap_or(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_there_and_back_is_the_value() {
        for units in [ANGLE, ENERGY, FORCE, LENGTH, MASS, SPEED, TEMPERATURE, VOLUME] {
            for unit in units {
                let there = to_base(units, 12.5, unit.name).and_then(|base| of_base(units, base, unit.name));
                assert!(there.is_some_and(|back| (back - 12.5).abs() < 1e-9), "{}", unit.name);
            }
        }
    }

    #[test]
    fn prefixes_are_of_units_that_have_them() {
        assert_eq!(convert(LENGTH, 1.0, "kilometer", "Meter"), Some(1000.0));
        assert_eq!(convert(LENGTH, 1.0, "KiloFoot", "Meter"), None);
        assert_eq!(convert(LENGTH, 1.0, "", "Meter"), None);
        assert_eq!(angle(30.0, "Degree", "tilt").map(|sine| (sine * 1e9).round()), Some(5e8));
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(1536.0, 1.0, "").as_deref(), Some("1.5 KB"));
        assert_eq!(bytes(-2048.0, 0.0, "").as_deref(), Some("-2 KB"));
        assert_eq!(bytes(1.0, 0.0, "parsec"), None);
    }
}
