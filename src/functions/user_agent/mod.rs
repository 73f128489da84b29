//! What a user agent says of its browser, operating system and device.
//!
//! The families and versions are named as the public patterns that Kusto uses name them. Kept are the browsers, mail
//! clients, programs, crawlers, systems and makers that log files hold; others are `Other`. Texts are searched for
//! marks, not for regular expressions: a text takes microseconds.
mod browser;
mod device;
mod product;
mod system;

use super::row::{each, text_of};
use super::{Context, operators};
use crate::diagnostic::{Fault, Result};
use crate::types::json::Writer;
use crate::types::{Column, Dynamic, Kind};
use product::Product;

/// The longest text that is looked at: a browser's is a few hundred characters.
const LONGEST: usize = 4096;

/// What a call asks for.
#[derive(Clone, Copy, Default)]
struct Wanted {
    browser: bool,
    system: bool,
    device: bool,
}

impl Wanted {
    /// Of a name, or an array of names.
    fn of(parts: &Column, row: usize) -> Result<Wanted> {
        let names = match Dynamic::of(parts, row).and_then(|names| names.texts()) {
            Some(names) => names,
            None => vec![text_of(parts, row).into_owned()],
        };
        let mut wanted = Wanted::default();
        for name in names {
            match name.to_ascii_lowercase().as_str() {
                "browser" => wanted.browser = true,
                "os" => wanted.system = true,
                "device" => wanted.device = true,
                _ => {
                    let fault = Fault::query("HP133", format!("parse_user_agent() knows no '{name}'"));
                    return Err(fault.help("ask for \"browser\", \"os\", \"device\", or an array of them"));
                }
            }
        }
        Ok(wanted)
    }
}

fn described(text: &str, wanted: Wanted) -> String {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let text = text.get(..end).unwrap_or_default();
    let mut writer = Writer::with_capacity(256);
    writer.begin_bag();
    if wanted.browser {
        let found = browser::of(text).unwrap_or(Product::OTHER);
        write(&mut writer, "Browser", &found, &["MajorVersion", "MinorVersion", "Patch"]);
    }
    if wanted.system {
        let found = system::of(text).unwrap_or(Product::OTHER);
        write(&mut writer, "OperatingSystem", &found, &["MajorVersion", "MinorVersion", "Patch", "PatchMinor"]);
    }
    if wanted.device {
        let device = device::of(text);
        writer.key("Device").begin_bag().key("Family").string(&device.family);
        writer.key("Brand").string(&device.brand).key("Model").string(&device.model).end_bag();
    }
    writer.end_bag();
    writer.finish()
}

fn write(writer: &mut Writer, key: &str, product: &Product, parts: &[&str]) {
    writer.key(key).begin_bag().key("Family").string(&product.family);
    for (part, value) in parts.iter().zip(product.version) {
        writer.key(part).string(value);
    }
    writer.end_bag();
}

fn parse_user_agent(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let (text, parts) = operators::pair(args)?;
    each(Kind::Dynamic, args, rows, |row, out| {
        out.push_text(&described(&text_of(text, row), Wanted::of(parts, row)?));
        Ok(())
    })
}

crate::kernels! {
    /// Browser, operating system and device that a user agent names, as a bag: those of them that are asked for, each
    /// with its family and its version, or its brand and model.
    ///
    /// Asked for are `browser`, `os` and `device`, or an array of them. What is not known is of the family `Other`,
    /// crawlers are devices of the family `Spider`. Parts of a version that are missing are empty.
    ///
    /// Source: parse-user-agent-function.
    ///
    /// ```kql
    /// parse_user_agent("curl/8.4.0", "browser").Browser.Family // curl
    /// parse_user_agent("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.1.2 Safari/537.36", dynamic(["os"])).OperatingSystem.MajorVersion // 10
    /// parse_user_agent("Mozilla/5.0 (compatible; Googlebot/2.1)", "device").Device.Family // Spider
    /// ```
    kql fn parse_user_agent (text: Any, parts: Any) -> Kind(Kind::Dynamic) = parse_user_agent;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> String {
        let parts = |product: Option<Product>| {
            let product = product.unwrap_or(Product::OTHER);
            let version: Vec<&str> = product.version.into_iter().filter(|part| !part.is_empty()).collect();
            format!("{} {}", product.family, version.join(".")).trim_end().to_owned()
        };
        let device = device::of(text);
        format!("{} | {} | {}", parts(browser::of(text)), parts(system::of(text)), device.family)
    }

    #[test]
    fn browsers_systems_and_devices() {
        let webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        for (text, expected) in [
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/120.0.6099.71 Safari/537.36 Edg/120.0.2210.61"
                ),
                "Edge 120.0.2210 | Windows 10 | Other",
            ),
            (
                format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) {webkit} Version/17.1.2 Mobile/15E148 Safari/604.1"
                ),
                "Mobile Safari 17.1.2 | iOS 17.1.2 | iPhone",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 13; SM-S918B) {webkit} Chrome/119.0.0.0 Mobile Safari/537.36"),
                "Chrome Mobile 119.0.0 | Android 13 | Samsung SM-S918B",
            ),
            (
                format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Version/17.1 Safari/605.1.15"),
                "Safari 17.1 | Mac OS X 10.15.7 | Mac",
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/119.0".into(),
                "Firefox 119.0 | Ubuntu | Other",
            ),
            ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/7.0)".into(), "IE 11.0 | Windows 7 | Other"),
            ("python-requests/2.31.0".into(), "Python Requests 2.31 | Other | Other"),
            (
                "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)".into(),
                "AhrefsBot 7.0 | Other | Spider",
            ),
            (String::new(), "Other | Other | Other"),
        ] {
            assert_eq!(all(&text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, like in "(Android|Nokia|bot|SM-|CPU OS|Windows|MSIE|é|; |\\(|/|[0-9.])*") {
            let _ = (all(&text), all(&like));
        }
    }
}
