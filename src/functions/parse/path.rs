//! Paths of files in the spellings of Windows and Unix.
use crate::types::json;

/// The parts of a path; what a path lacks is empty.
fn taken_apart(path: &str) -> [(&'static str, &str); 7] {
    let (scheme, rest) = path.split_once("://").unwrap_or(("", path));
    let root = root(rest);
    let stream_start = rest.len() - rest.get(root.len()..).unwrap_or_default().len();
    let tail = rest.get(stream_start..).unwrap_or_default();
    // A colon behind the root sets off an alternate data stream.
    let (place, stream) = match tail.bytes().position(|byte| byte == b':') {
        Some(at) => (rest.get(..stream_start + at).unwrap_or(rest), tail.get(at + 1..).unwrap_or_default()),
        None => (rest, ""),
    };
    let (directory, file) = split_last(place).unwrap_or(("", place));
    let name = split_last(directory).map_or(directory, |(_, name)| name);
    let extension = file.bytes().rposition(|byte| byte == b'.').and_then(|at| file.get(at + 1..)).unwrap_or_default();
    [
        ("Scheme", scheme),
        ("RootPath", root),
        ("DirectoryPath", directory),
        ("DirectoryName", name),
        ("Filename", file),
        ("Extension", extension),
        ("AlternateDataStreamName", stream),
    ]
}

/// What stands before and behind the last separator.
fn split_last(path: &str) -> Option<(&str, &str)> {
    let at = path.bytes().rposition(|byte| matches!(byte, b'/' | b'\\'))?;
    Some((path.get(..at)?, path.get(at + 1..)?))
}

/// The parts of a path as a JSON bag.
pub fn parts(path: &str) -> String {
    let mut writer = json::Writer::with_capacity(path.len() * 2 + 128);
    writer.begin_bag();
    for (name, part) in taken_apart(path) {
        writer.key(name).string(part);
    }
    writer.end_bag();
    writer.finish()
}

/// The part of a path that stands in the bag under a name; none for other names.
pub fn part<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    taken_apart(path).into_iter().find(|(known, _)| *known == name).map(|(_, part)| part)
}

/// The drive of a path, behind the mark of a long path too.
fn root(path: &str) -> &str {
    let marked = path.strip_prefix(r"\\?\").or_else(|| path.strip_prefix("/"));
    let (start, drive) = match marked {
        Some(behind) => (path.len() - behind.len(), behind),
        None => (0, path),
    };
    match drive.as_bytes() {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => path.get(..start + 2).unwrap_or_default(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling() {
        let of = |path: &str| {
            let parts = parts(path);
            let values: Vec<String> = json::path(&parts, &[])
                .map(|bag| bag.entries().map(|(_, v)| json::to_string(v.text()).into_owned()).collect())
                .unwrap_or_default();
            values.join("|")
        };
        assert_eq!(of(r"C:\temp\file.txt"), r"|C:|C:\temp|temp|file.txt|txt|");
        assert_eq!(of(r"temp\file.txt"), r"||temp|temp|file.txt|txt|");
        assert_eq!(of("file://C:/temp/file.txt:some.exe"), "file|C:|C:/temp|temp|file.txt|txt|some.exe");
        assert_eq!(of(r"\\shared\users\temp\file.txt.gz"), r"||\\shared\users\temp|temp|file.txt.gz|gz|");
        assert_eq!(of("/usr/lib/temp/file.txt"), "||/usr/lib/temp|temp|file.txt|txt|");
        assert_eq!(of(r"C:\"), r"|C:|C:|C:|||");
        assert_eq!(of(""), "||||||");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_without_a_panic(text: String, like in r"(\\\\\?\\)?[a-zé]?:?[/\\é:.]{0,6}") {
            let _ = (parts(&text), parts(&like));
        }
    }
}
