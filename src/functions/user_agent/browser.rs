//! Browsers, mail clients, programs and crawlers.
use super::product::{Product, after, in_turn, is_version, version};

/// A family, the mark that its version follows, and marks that must stand somewhere too.
type Mark = (&'static str, &'static str, &'static [&'static str]);

/// Programs and crawlers whose family is their mark.
const NAMED: &[&str] = &[
    "Google-HTTP-Java-Client",
    "Apache-HttpClient",
    "PostmanRuntime",
    "Go-http-client",
    "Python-urllib",
    "WinHTTP",
    "JNLP",
    "okhttp",
    "reqwest",
    "axios",
    "Boto3",
    "Boto",
    "aws-cli",
    "aws-sdk-cpp",
    "aws-sdk-go",
    "aws-sdk-java",
    "aws-sdk-nodejs",
    "aws-sdk-ruby2",
    "s3fs",
    "masscan",
    "WhatsApp",
    "heritrix",
    "Scrapy",
    "WhatWeb",
    "ia_archiver",
    "Mediapartners-Google",
    "AdsBot-Google-Mobile",
    "AdsBot-Google",
    "BingPreview",
    "Slackbot-LinkExpanding",
    "Slack-ImgProxy",
    "Yahoo! Slurp",
    "Slurp",
    "WordPress",
    "BUbiNG",
    "Qwantify",
    "GoogleOther",
];

/// Programs that pages open in, and browsers, from the special to the general.
const MARKS: &[Mark] = &[
    ("Facebook Messenger", "FBAV", &["FBAN/Messenger"]),
    ("Facebook Messenger", "FBAV", &["FB_IAB/MESSENGER"]),
    ("Facebook", "FBAV", &["[FB"]),
    ("FacebookBot", "facebookexternalhit", &[]),
    ("Pinterest", "Pinterest for Android Tablet", &[]),
    ("Pinterest", "Pinterest for Android", &[]),
    ("Pinterest", "Pinterest", &[]),
    ("Instagram", "Instagram", &["Mobile"]),
    ("Flipboard", "Flipboard", &["Mobile"]),
    ("Snapchat", "Snapchat", &[]),
    ("Twitter", "Twitter for iPhone", &[]),
    ("Twitter", "Twitter for iPad", &[]),
    ("Twitter", "TwitterAndroid", &[]),
    ("Waterfox", "Waterfox", &[]),
    ("SeaMonkey", "SeaMonkey", &[]),
    ("Pale Moon", "PaleMoon", &[]),
    ("Firefox iOS", "FxiOS", &[]),
    ("Opera Mini", "OPiOS", &[]),
    ("Opera Mini", "Opera Mini/att", &[]),
    ("Opera Mini", "Opera Mini", &[]),
    ("Opera Mobile", "Version", &["Opera/", "Opera Mobi"]),
    ("Opera Mobile", "Opera/", &["Opera Mobi"]),
    ("Opera", "Version", &["Opera/9.80"]),
    ("Opera Mobile", "OPR/", &["Mobile Safari"]),
    ("Opera", "OPR/", &[]),
    ("UC Browser", "UCBrowser/", &[]),
    ("UC Browser", "UCBrowser", &[]),
    ("UC Browser", "UC Browser", &[]),
    ("UC Browser", "UCWEB", &[]),
    ("UC Browser", "UBrowser/", &[]),
    ("Brave", "Brave Chrome/", &[]),
    ("Brave", "Brave/", &[]),
    ("Brave", "brave/", &[]),
    ("Amazon Silk", "Silk/", &[]),
    ("Puffin", "Puffin/", &[]),
    ("Edge Mobile", "Edge/", &["Windows Phone"]),
    ("Edge Mobile", "EdgiOS/", &[]),
    ("Edge Mobile", "EdgA/", &[]),
    ("Oculus Browser", "OculusBrowser/", &[]),
    ("Samsung Internet", "SamsungBrowser/", &[]),
    ("Coc Coc", "coc_coc_browser/", &[]),
    ("Baidu Browser", "baidubrowser", &[]),
    ("Baidu Explorer", "FlyFlow/", &[]),
    ("Maxthon", "MxBrowser/", &[]),
    ("LINE", "Line/", &[]),
    ("MiuiBrowser", "MiuiBrowser/", &[]),
    ("Google", "GSA/", &[]),
    ("QQ Browser Mini", "MQQBrowser/Mini", &[]),
    ("QQ Browser Mobile", "MQQBrowser", &[]),
    ("QQ Browser", "QQBrowser", &[]),
    ("DuckDuckGo Mobile", "DuckDuckGo/", &["Mobile"]),
    ("DuckDuckGo", "DuckDuckGo/", &["Mozilla"]),
    ("DuckDuckGo Mobile", "Ddg/", &["Mobile"]),
    ("DuckDuckGo", "Ddg/", &[]),
    ("Chrome Mobile iOS", "CriOS/", &[]),
    ("Yandex Browser", "YaBrowser/", &[]),
    ("Yandex Browser", "YaSearchBrowser/", &[]),
    ("Whale", "Whale/", &[]),
    ("Slack Desktop Client", "Slack_SSB/", &[]),
    ("Spotify", "Spotify/", &[]),
    ("Midori", "Midori/", &[]),
    ("Maxthon", "Maxthon", &[]),
    ("Epiphany", "Epiphany/", &[]),
    ("Konqueror", "Konqueror/", &[]),
    ("K-Meleon", "K-Meleon/", &[]),
    ("Electron", "Electron/", &[]),
    ("OktaMobile", "OktaMobile/", &[]),
    ("MacOutlook", "MacOutlook/", &[]),
    ("Windows Live Mail", "Outlook-Express/7.0", &[]),
    ("Thunderbird", "Thunderbird/", &[]),
    ("Postbox", "Postbox/", &[]),
    ("Lotus Notes", "Lotus-Notes/", &[]),
    ("Airmail", "Airmail", &[]),
    ("Vivaldi", "Vivaldi/", &[]),
    ("Edge", "Edge/", &[]),
    ("Edge", "Edg/", &[]),
    ("HeadlessChrome", "HeadlessChrome", &[]),
    ("AdobeAIR", "AdobeAIR/", &[]),
    ("iTunes", "iTunes/", &[]),
    ("QupZilla", "QupZilla/", &[]),
    ("qutebrowser", "qutebrowser/", &[]),
    ("ExchangeWebServices", "ExchangeWebServices/", &[]),
    ("ExchangeServicesClient", "ExchangeServicesClient/", &[]),
    ("Outlook-iOS-Android", "Outlook-iOS-Android/", &[]),
    ("Opera", "Opera/", &[]),
    ("Chromium", "Chromium/", &[]),
    ("Chrome", "Chrome/", &[]),
    ("IE Mobile", "IEMobile", &[]),
    ("VLC", "VLC/", &[]),
    ("Opera", "Opera ", &[]),
];

/// What is left when no other browser has spoken up.
const LAST: &[Mark] = &[
    ("AnyConnect", "AnyConnect/", &[]),
    ("OpenVAS Scanner", "OpenVAS", &[]),
    ("Nokia Browser", "NokiaBrowser/", &[]),
    ("Nokia Browser", "BrowserNG/", &[]),
    ("Nokia OSS Browser", "Series60/", &[]),
    ("Ovi Browser", "S40OviBrowser/", &[]),
    ("BlackBerry WebKit", "Version/", &["BlackBerry"]),
    ("BlackBerry WebKit", "Version/", &["BB10"]),
    ("BlackBerry", "BlackBerry", &[]),
    ("PhantomJS", "PhantomJS/", &[]),
    ("Safari", "Version/", &["Safari/"]),
];

/// Names that stand at the end of the search: what fetches pages without showing them.
const TOOLS: &[Mark] = &[
    ("Python Requests", "python-requests", &[]),
    ("Python aiohttp", " aiohttp/", &["Python/3"]),
    // Before its ninth version Java counted from 1.1 on.
    ("Java", "Java/1.", &[]),
    ("Java", "Java/", &[]),
    ("CFNetwork", "CFNetwork/", &[]),
];

const TOOL_NAMES: &[&str] = &[
    "Windows-Update-Agent",
    "WindowsPowerShell",
    "Microsoft-CryptoAPI",
    "SophosUpdateManager",
    "SophosAgent",
    "Debian APT-HTTP",
    "Ubuntu APT-HTTP",
    "libcurl-agent",
    "libwww-perl",
    "urlgrabber",
    "curl",
    "PycURL",
    "Wget",
    "wget2",
    "aria2",
    "Axel",
    "lftp",
    "jupdate",
    "insomnia",
    "akka-http",
    "ReactorNetty",
    "Jersey",
    "Apache-CXF",
    "go-resty",
    "HTTPie",
];

pub fn of(text: &str) -> Option<Product<'_>> {
    let named = NAMED.iter().find_map(|name| Some(Product::new(name, version(after(text, name)?))));
    let found = named
        .or_else(|| first(text, MARKS.get(..4).unwrap_or_default()))
        .or_else(|| crawler(text))
        .or_else(|| firefox_mobile(text))
        .or_else(|| chrome_mobile(text))
        .or_else(|| first(text, MARKS))
        .or_else(|| outlook(text))
        .or_else(|| android(text))
        .or_else(|| apple_mobile(text))
        .or_else(|| text.contains("Series60/5.0").then(|| Product::new("Nokia Browser", ["7", "0", "", ""])))
        .or_else(|| first(text, LAST))
        .or_else(|| safari(text))
        .or_else(|| explorer(text))
        .or_else(|| firefox(text))
        .or_else(|| first(text, TOOLS))
        .or_else(|| TOOL_NAMES.iter().find_map(|name| Some(Product::new(name, version(after(text, name)?)))));
    found.map(|product| {
        let parts = if TWO_PARTS.contains(&&*product.family) { 2 } else { 3 };
        product.parts(parts)
    })
}

/// Families whose versions have two parts, whatever follows.
const TWO_PARTS: &[&str] = &["Python Requests", "Samsung Internet", "Firefox Mobile", "IE Mobile"];

fn first<'a>(text: &'a str, marks: &[Mark]) -> Option<Product<'a>> {
    marks.iter().find_map(|(family, mark, others)| {
        let rest = after(text, mark)?;
        let holds = others.iter().all(|other| text.contains(other));
        // A mark that ends in a slash says its version.
        let version = version(rest);
        (holds && (is_version(&version) || !mark.ends_with('/'))).then(|| Product::new(family, version))
    })
}

/// Ends of the names that crawlers give themselves.
const CRAWLS: &[&str] = &["bot", "spider", "crawler", "crawl", "archiver", "indexer", "scraper"];

/// A word that ends as crawlers' names do, with its version.
fn crawler(text: &str) -> Option<Product<'_>> {
    let lower = text.to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '!');
    let ends = CRAWLS.iter().filter_map(|end| {
        let places = lower.match_indices(end).map(|(at, _)| at + end.len());
        places.into_iter().find(|end| !text.get(*end..).unwrap_or_default().starts_with(is_name))
    });
    let end = ends.min()?;
    let before = text.get(..end)?;
    let start = before
        .rfind(|c: char| !is_name(c))
        .map_or(0, |at| at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let name = before.get(start..)?;
    let is_phone = name.eq_ignore_ascii_case("cubot");
    (!is_phone).then(|| Product::new(name, version(text.get(end..).unwrap_or_default())))
}

fn firefox_mobile(text: &str) -> Option<Product<'_>> {
    let mobile = in_turn(text, &["Mobile;", "Firefox/"]) || in_turn(text, &["Tablet;", "Firefox/"]);
    let plain = !text.contains("Waterfox") && !text.contains("SeaMonkey");
    (mobile && plain).then(|| Product::new("Firefox Mobile", version(after(text, "Firefox/").unwrap_or_default())))
}

/// Browsers that are more than Chrome on a phone name themselves, and come before it.
fn chrome_mobile(text: &str) -> Option<Product<'_>> {
    let found = version(after(text, "Chrome/")?);
    let chrome = MARKS.iter().position(|mark| mark.0 == "Chrome Mobile iOS").unwrap_or(MARKS.len());
    if let Some(other) = first(text, MARKS.get(..chrome).unwrap_or_default()) {
        return Some(other);
    }
    if !found.iter().all(|part| !part.is_empty()) {
        return None;
    }
    if in_turn(text, &["Version/", "Chrome/"]) || in_turn(text, &["; wv)", "Chrome/"]) {
        return Some(Product::new("Chrome Mobile WebView", found));
    }
    let behind = after(text, "Chrome/")?.split_once(' ').map_or("", |(_, behind)| behind);
    let mobile = behind == "Mobile" || behind.starts_with("Mobile ") || behind.starts_with("Mobile/");
    (mobile || in_turn(text, &[" Mobile ", "Chrome/"])).then(|| Product::new("Chrome Mobile", found))
}

/// Outlook says the version of its file, and is known by its year.
fn outlook(text: &str) -> Option<Product<'_>> {
    let years = [("Outlook 12.", "2007"), ("MSOffice 12", "2007"), ("Outlook 14.", "2010"), ("MSOffice 14", "2010")];
    let later =
        [("Outlook 15.", "2013"), ("Outlook 16.", "2016"), ("Outlook Mail 16.", "2016"), ("MSOffice 16", "2016")];
    let year = years.iter().chain(&later).find(|(mark, _)| text.contains(mark))?.1;
    Some(Product::new("Outlook", [year, "", "", ""]))
}

fn android(text: &str) -> Option<Product<'_>> {
    let found = version(after(text, "Android ")?);
    let explorer = text.contains("Trident/") || text.contains("Firefox/");
    (is_version(&found) && !explorer).then(|| Product::new("Android", found))
}

fn apple_mobile(text: &str) -> Option<Product<'_>> {
    let device = ["iPod", "iPhone", "iPad"].iter().find_map(|device| after(text, device))?;
    let shown = if text.contains(" Safari") || text.contains("+Safari") {
        "Mobile Safari"
    } else {
        "Mobile Safari UI/WKWebView"
    };
    Some(Product::new(shown, after(device, "Version/").map_or([""; 4], version)))
}

fn safari(text: &str) -> Option<Product<'_>> {
    if text.contains("Safari/") {
        return Some(Product::new("Safari", [""; 4]));
    }
    let found = version(after(text, "AppleWebKit/")?);
    found.get(2).is_some_and(|patch| !patch.is_empty()).then(|| Product::new("Apple Mail", found))
}

/// The engine tells the version also where the browser poses as an older one.
fn explorer(text: &str) -> Option<Product<'_>> {
    const ENGINES: [(&str, &str); 5] =
        [("Trident/7", "11"), ("Trident/8", "11"), ("Trident/6", "10"), ("Trident/5", "9"), ("Trident/4", "8")];
    if let Some((_, major)) = ENGINES.iter().find(|(engine, _)| text.contains(engine)) {
        return Some(Product::new("IE", [major, "0", "", ""]));
    }
    Some(Product::new("IE", version(after(text, "MSIE ")?)))
}

/// Versions before a release have letters in them.
fn firefox(text: &str) -> Option<Product<'_>> {
    let rest = after(text, "Firefox/")?;
    let word = rest.split([' ', ')', ';']).next().unwrap_or_default();
    let letter = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').chars().next();
    let family = match letter {
        Some('a') => "Firefox Alpha",
        Some('b') => "Firefox Beta",
        _ => "Firefox",
    };
    Some(Product::new(family, version(rest)))
}
