//! Paths of files in the spellings of Windows and Unix.
use crate::types::json;

/// A path taken apart; what it lacks is empty.
struct Parts<'a> {
    scheme: &'a str,
    root: &'a str,
    directory: &'a str,
    file: &'a str,
    stream: &'a str,
}

impl<'a> Parts<'a> {
    fn of(path: &'a str) -> Parts<'a> {
        let (scheme, rest) = split_scheme(path);
        let root = root(rest);
        let stream_start = rest.len() - rest.get(root.len()..).unwrap_or_default().len();
        let tail = rest.get(stream_start..).unwrap_or_default();
        // A colon behind the root sets off an alternate data stream.
        let (place, stream) = match memchr::memchr(b':', tail.as_bytes()) {
            Some(at) => (rest.get(..stream_start + at).unwrap_or(rest), tail.get(at + 1..).unwrap_or_default()),
            None => (rest, ""),
        };
        let (directory, file) = split_last(place).unwrap_or(("", place));
        Parts { scheme, root, directory, file, stream }
    }

    /// The part that stands in the bag under a name; none for other names.
    fn named(&self, name: &str) -> Option<&'a str> {
        Some(match name {
            "Scheme" => self.scheme,
            "RootPath" => self.root,
            "DirectoryPath" => self.directory,
            "DirectoryName" => split_last(self.directory).map_or(self.directory, |(_, name)| name),
            "Filename" => self.file,
            "Extension" => {
                let dot = memchr::memrchr(b'.', self.file.as_bytes());
                dot.and_then(|at| self.file.get(at + 1..)).unwrap_or_default()
            }
            "AlternateDataStreamName" => self.stream,
            _ => return None,
        })
    }
}

const NAMES: [&str; 7] =
    ["Scheme", "RootPath", "DirectoryPath", "DirectoryName", "Filename", "Extension", "AlternateDataStreamName"];

/// What stands before and behind the first `://`.
fn split_scheme(path: &str) -> (&str, &str) {
    let colons = memchr::memchr_iter(b':', path.as_bytes());
    let split = |at: usize| Some((path.get(..at)?, path.get(at + 1..)?.strip_prefix("//")?));
    colons.into_iter().find_map(split).unwrap_or(("", path))
}

/// What stands before and behind the last separator.
fn split_last(path: &str) -> Option<(&str, &str)> {
    let at = memchr::memrchr2(b'/', b'\\', path.as_bytes())?;
    Some((path.get(..at)?, path.get(at + 1..)?))
}

/// The parts of a path as a JSON bag.
pub fn parts(path: &str) -> String {
    let mut writer = json::Writer::with_capacity(path.len() * 2 + 128);
    let parts = Parts::of(path);
    writer.begin_bag();
    for name in NAMES {
        writer.key(name).string(parts.named(name).unwrap_or_default());
    }
    writer.end_bag();
    writer.finish()
}

/// The part of a path that stands in the bag under a name; none for other names.
pub fn part<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    Parts::of(path).named(name)
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
