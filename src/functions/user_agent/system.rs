//! Operating systems.
use super::product::{Product, after, is_version, version};

/// The parts that Windows' names for its versions stand for; the first that is found holds.
const WINDOWS: &[(&str, &str, &str)] = &[
    ("Windows 10", "10", ""),
    ("Windows NT 5.2", "XP", ""),
    ("Windows NT 5.1", "XP", ""),
    ("Windows NT 6.1", "7", ""),
    ("Windows NT 6.0", "Vista", ""),
    ("Win 9x 4.90", "ME", ""),
    ("Windows NT 6.2; ARM;", "RT", ""),
    ("Windows NT 6.2", "8", ""),
    ("Windows NT 6.3; ARM;", "RT 8", "1"),
    ("Windows NT 6.3", "8", "1"),
    ("Windows NT 6.4", "10", ""),
    ("Windows NT 10.0", "10", ""),
    ("Windows NT 5.0", "2000", ""),
    ("WinNT4.0", "NT 4.0", ""),
    ("Windows CE", "CE", ""),
    ("Windows 95", "95", ""),
    ("Windows 98", "98", ""),
    ("Windows 3.1", "3.1", ""),
    ("Windows NT", "NT", ""),
    ("Windows ME", "ME", ""),
    ("Windows 2000", "2000", ""),
    ("Windows XP", "XP", ""),
    ("Windows Vista", "Vista", ""),
    ("Windows 7", "7", ""),
    ("Win95", "95", ""),
    ("Win98", "98", ""),
];

/// A family, and the mark that its version follows; more special ones first.
const MARKS: &[(&str, &str)] = &[
    ("Chrome OS", "CrOS x86_64"),
    ("Chrome OS", "CrOS aarch64"),
    ("Chrome OS", "CrOS armv7l"),
    ("Symbian OS", "SymbianOS"),
    ("Symbian OS", "SymbOS"),
    ("Symbian^3", "Symbian/3"),
    ("Symbian OS", "Series60"),
    ("Symbian OS", "S60"),
    ("MeeGo", "MeeGo"),
    ("BlackBerry Tablet OS", "RIM Tablet OS"),
    ("webOS", "webOS"),
    ("webOS", "hpwOS"),
    ("KaiOS", "KAIOS"),
    ("KaiOS", "KaiOS"),
    ("Sailfish", "Sailfish"),
    ("Bada", "Bada"),
    ("Solaris", "SunOS"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("NetBSD", "NetBSD"),
    ("Ubuntu", "Ubuntu"),
    ("Kubuntu", "Kubuntu"),
    ("Mint", "Linux Mint"),
    ("CentOS", "CentOS"),
    ("Red Hat", "Red Hat"),
    ("Fedora", "Fedora"),
    ("SUSE", "SUSE"),
    ("Mandriva", "Mandriva"),
    ("Gentoo", "Gentoo"),
    ("Debian", "Debian"),
    ("Roku", "Roku/DVP"),
    ("WatchOS", "watchOS"),
    ("tvOS", "tvOS"),
    ("Brew MP", "Brew MP"),
    ("Brew MP", "BMP"),
    ("BREW", "BREW"),
    ("Kindle", "Kindle"),
    ("Nokia Series 40", "Series40"),
];

pub fn of(text: &str) -> Option<Product<'_>> {
    phone(text)
        .or_else(|| windows(text))
        .or_else(|| apple(text))
        .or_else(|| firefox_os(text))
        .or_else(|| MARKS.iter().find_map(|(family, mark)| Some(Product::new(family, version(after(text, mark)?)))))
        .or_else(|| black_berry(text))
        .or_else(|| linux(text))
        .or_else(|| text.contains("Windows").then(|| Product::new("Windows", [""; 4])))
}

fn phone(text: &str) -> Option<Product<'_>> {
    if let Some(rest) = after(text, "Windows Phone") {
        return Some(Product::new("Windows Phone", version(rest.strip_prefix(" OS").unwrap_or(rest))).parts(3));
    }
    if let Some(found) = after(text, "Android").map(version).filter(is_version) {
        let family = if text.contains("CrKey") { "Chromecast Android" } else { "Android" };
        return Some(Product::new(family, found).parts(3));
    }
    let mobile = ["Windows Mobile", "WindowsMobile"].iter().any(|mark| text.contains(mark));
    if mobile {
        return Some(Product::new("Windows Mobile", [""; 4]));
    }
    if let Some(rest) = after(text, "CrKey") {
        return Some(Product::new("Chromecast Linux", version(rest)));
    }
    after(text, "Tizen").map(version).filter(is_version).map(|found| Product::new("Tizen", found).parts(2))
}

fn windows(text: &str) -> Option<Product<'_>> {
    let (_, major, minor) = WINDOWS.iter().find(|(mark, _, _)| text.contains(mark))?;
    Some(Product::new("Windows", [major, minor, "", ""]))
}

fn apple(text: &str) -> Option<Product<'_>> {
    let version_after = |mark: &str| after(text, mark).map(version).filter(is_version);
    if let Some(found) = version_after("Mac OS X").or_else(|| version_after("; OS X")) {
        return Some(Product::new("Mac OS X", found).parts(3));
    }
    let phone = ["CPU OS", "CPU iPhone OS", "iPhone OS", "CPU iPad OS"].iter().find_map(|mark| version_after(mark));
    if let Some(found) = phone {
        return Some(Product::new("iOS", found).parts(3));
    }
    if text.contains("Intel Mac OS X") || text.contains("PPC Mac OS X") {
        return Some(Product::new("Mac OS X", [""; 4]));
    }
    if text.contains("Mac_PowerPC") {
        return Some(Product::new("Mac OS", [""; 4]));
    }
    let device = ["iPhone", "iPad", "iPod"].iter().any(|device| text.contains(device));
    network(text).or_else(|| device.then(|| Product::new("iOS", [""; 4])))
}

/// Programs that fetch with Apple's library say the kernel's version, from which the system's follows.
fn network(text: &str) -> Option<Product<'_>> {
    const PHONES: [(&str, &str); 9] = [
        ("16", "10"),
        ("17", "11"),
        ("18", "12"),
        ("19", "13"),
        ("20", "14"),
        ("21", "15"),
        ("22", "16"),
        ("23", "17"),
        ("24", "18"),
    ];
    const DESKTOPS: [(&str, &str, &str); 6] = [
        ("15", "10", "11"),
        ("16", "10", "12"),
        ("17", "10", "13"),
        ("18", "10", "14"),
        ("19", "10", "15"),
        ("20", "11", ""),
    ];
    if !text.contains("CFNetwork/") {
        return None;
    }
    let [kernel, ..] = version(after(text, "Darwin")?);
    if text.contains("x86_64") {
        let (_, major, minor) = DESKTOPS.iter().find(|(known, _, _)| *known == kernel)?;
        return Some(Product::new("Mac OS X", [major, minor, "", ""]));
    }
    let (_, major) = PHONES.iter().find(|(known, _)| *known == kernel)?;
    Some(Product::new("iOS", [major, "", "", ""]))
}

/// Firefox's own system for phones names itself by its engine's version.
fn firefox_os(text: &str) -> Option<Product<'_>> {
    const ENGINES: [(&str, &str, &str, &str); 7] = [
        ("Gecko/18.0 ", "1", "0", "1"),
        ("Gecko/18.1 ", "1", "1", ""),
        ("Gecko/26.0 ", "1", "2", ""),
        ("Gecko/28.0 ", "1", "3", ""),
        ("Gecko/30.0 ", "1", "4", ""),
        ("Gecko/32.0 ", "2", "0", ""),
        ("Gecko/34.0 ", "2", "1", ""),
    ];
    let phone = (text.contains("(Mobile;") || text.contains("(Tablet;")) && text.contains("Firefox/");
    if !phone || text.to_ascii_uppercase().contains("KAIOS") {
        return None;
    }
    let known = ENGINES.iter().find(|(engine, ..)| text.contains(engine));
    let version = known.map_or([""; 4], |(_, major, minor, patch)| [major, minor, patch, ""]);
    Some(Product::new("Firefox OS", version))
}

fn black_berry(text: &str) -> Option<Product<'_>> {
    if !text.contains("BlackBerry") && !text.contains("BB10") {
        return None;
    }
    let found = after(text, "Version/").map_or([""; 4], version);
    Some(Product::new("BlackBerry OS", found))
}

fn linux(text: &str) -> Option<Product<'_>> {
    let rest = after(text, "Linux").or_else(|| after(text, "linux"))?;
    // A number alone is a kernel's version; `Linux x86_64` says none.
    Some(Product::new("Linux", version(rest)).parts(3))
}
