//! Devices.
use super::product::{after, in_turn};
use std::borrow::Cow;

/// A device; what is not known of it is empty.
#[derive(Debug, PartialEq)]
pub struct Device<'a> {
    pub family: Cow<'a, str>,
    pub brand: Cow<'a, str>,
    pub model: Cow<'a, str>,
}

impl<'a> Device<'a> {
    fn new(family: impl Into<Cow<'a, str>>, brand: &'a str, model: impl Into<Cow<'a, str>>) -> Device<'a> {
        Device { family: family.into(), brand: brand.into(), model: model.into() }
    }

    fn generic(model: &'static str) -> Device<'a> {
        Device::new(format!("Generic {model}"), "Generic", model)
    }
}

/// The text by which crawlers are known, in lower case.
const CRAWLERS: &[&str] = &[
    "bot",
    "crawl",
    "slurp",
    "spider",
    "bubing",
    "ccbot",
    "scrapy",
    "nutch",
    "heritrix",
    "ia_archiver",
    "facebookexternalhit",
    "bingpreview",
    "mediapartners",
    "yandex",
    "sogou",
    "daum",
    "teoma",
    "pingdom",
    "httrack",
    "feedfetcher",
];

/// Beginnings of models, their maker, and whether its name stands before the model's.
const MAKERS: &[(&str, &str, bool)] = &[
    ("SM-", "Samsung", true),
    ("GT-", "Samsung", true),
    ("SCH-", "Samsung", true),
    ("SGH-", "Samsung", true),
    ("SPH-", "Samsung", true),
    ("SHV-", "Samsung", true),
    ("Pixel", "Google", false),
    ("Redmi", "XiaoMi", true),
    ("Mi ", "XiaoMi", true),
    ("POCO", "XiaoMi", true),
    ("LM-", "LG", true),
    ("LG-", "LG", true),
    ("moto ", "Motorola", true),
    ("ONEPLUS", "OnePlus", false),
    ("CPH", "Oppo", true),
    ("vivo ", "vivo", false),
    ("HUAWEI ", "Huawei", true),
];

pub fn of(text: &str) -> Device<'_> {
    let found = crawler(text).or_else(|| android(text)).or_else(|| apple(text)).or_else(|| nokia(text));
    found.or_else(|| generic(text)).unwrap_or(Device::new("Other", "", ""))
}

fn crawler(text: &str) -> Option<Device<'_>> {
    let lower = text.to_ascii_lowercase();
    let crawls = CRAWLERS.iter().any(|mark| lower.replace("cubot", "").contains(mark));
    let mobile = ["iPhone", "Android", "Windows Phone"].iter().any(|mark| text.contains(mark));
    crawls.then(|| Device::new("Spider", "Spider", if mobile { "Smartphone" } else { "Desktop" }))
}

/// What stands after the system's version in the parentheses: a locale at times, then the model.
fn model(text: &str) -> Option<&str> {
    let inside = after(text, "Android")?.split_once(';')?.1;
    let end = inside.find(") AppleWebKit").or_else(|| inside.find(')')).unwrap_or(inside.len());
    let fields = inside.get(..end)?.split(';').map(str::trim);
    let mut fields = fields.map(|field| field.split(" Build").next().unwrap_or_default().trim());
    fields.find(|field| !is_locale(field) && *field != "wv" && !field.starts_with("rv:"))
}

/// `en`, `en-us`, `en_US`, `U`.
fn is_locale(field: &str) -> bool {
    let letters = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    match field.split_once(['-', '_']) {
        Some((language, country)) => letters(language) && (country.is_empty() || letters(country)),
        None => field == "U" || (letters(field) && field.bytes().all(|b| b.is_ascii_lowercase())),
    }
}

fn android(text: &str) -> Option<Device<'_>> {
    if text.contains("Windows Phone") || text.contains("Firefox/") {
        return None;
    }
    let model = model(text).filter(|model| !model.is_empty())?;
    let own = model.strip_prefix("SAMSUNG ").or_else(|| model.strip_prefix("Samsung ")).unwrap_or(model);
    if let Some((start, maker, named)) = MAKERS.iter().find(|(start, ..)| own.starts_with(start)) {
        let own = own.split('/').next().unwrap_or(own);
        let family = if *named { format!("{maker} {own}") } else { own.to_owned() };
        // The maker is not said twice.
        let own = if start.trim().eq_ignore_ascii_case(maker) { own.get(start.len()..).unwrap_or(own) } else { own };
        return Some(Device::new(family, maker, own));
    }
    let tablet = text.contains("Safari") && !text.contains("Mobile Safari");
    Some(Device::new(model, if tablet { "Generic_Android_Tablet" } else { "Generic_Android" }, model))
}

fn apple(text: &str) -> Option<Device<'_>> {
    let named = ["iPad", "iPod", "iPhone"].into_iter().find(|name| text.contains(name));
    if let Some(name) = named {
        // Programs say the hardware's name: iPhone14,2.
        let exact = text.split([' ', ';', '(', ')', '/']).find(|word| {
            let digits = word.strip_prefix(name).filter(|rest| rest.contains(','));
            digits.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b','))
        });
        let name = exact.unwrap_or(name);
        return Some(Device::new(name, "Apple", name));
    }
    if text.contains("CFNetwork/") && text.contains("Darwin/") {
        let name = if text.contains("x86_64") { "Mac" } else { "iOS-Device" };
        return Some(Device::new(name, "Apple", name));
    }
    let desktop = text.contains("Macintosh") || text.contains("Mac OS X") || text.contains("Mac_PowerPC");
    desktop.then(|| Device::new("Mac", "Apple", "Mac"))
}

/// The family of a series ends before its variant: N81-3 is an N81.
fn nokia(text: &str) -> Option<Device<'_>> {
    let rest = after(text, "Nokia").or_else(|| after(text, "NOKIA"))?;
    let rest = rest.trim_start_matches(['-', ' ', ';']);
    let rest = rest.strip_prefix("Lumia ").unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).unwrap_or(rest.len());
    let model = rest.get(..end).filter(|model| !model.is_empty())?;
    let digits = model.strip_prefix('N').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let series = if digits > 0 { model.get(..=digits).unwrap_or(model) } else { model };
    Some(Device::new(format!("Nokia {series}"), "Nokia", model))
}

fn generic(text: &str) -> Option<Device<'_>> {
    if in_turn(text, &["Tablet;", "Firefox/"]) {
        return Some(Device::generic("Tablet"));
    }
    const PHONES: [&str; 7] =
        ["Symbian", "Windows CE", "Opera Mobi", "Android", "Windows Phone", "(webOS/", "Windows Mobile"];
    if PHONES.iter().any(|mark| text.contains(mark)) || in_turn(text, &["Mobile;", "Firefox/"]) {
        return Some(Device::generic("Smartphone"));
    }
    let lower = text.to_ascii_lowercase();
    let feature = ["midp", "opera mini", "netfront", "obigo", "up.browser", "wap browser", "teleca"];
    feature.iter().any(|mark| lower.contains(mark)).then(|| Device::generic("Feature Phone"))
}
