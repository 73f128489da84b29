//! Paths of files in the spellings of Windows and Unix.
use crate::types::json;

/// The parts of a path as a JSON bag; what a path lacks is empty.
pub fn parts(path: &str) -> String {
    let (scheme, rest) = path.split_once("://").unwrap_or(("", path));
    let root = root(rest);
    let stream_start = rest.len() - rest.get(root.len()..).unwrap_or_default().len();
    let tail = rest.get(stream_start..).unwrap_or_default();
    // A colon behind the root sets off an alternate data stream.
    let (place, stream) = match tail.split_once(':') {
        Some((before, stream)) => (rest.get(..stream_start + before.len()).unwrap_or(rest), stream),
        None => (rest, ""),
    };
    let cut = place.rfind(['/', '\\']);
    let directory = cut.and_then(|cut| place.get(..cut)).unwrap_or_default();
    let file = cut.map_or(place, |cut| place.get(cut + 1..).unwrap_or_default());
    let name = directory.rsplit(['/', '\\']).next().unwrap_or_default();
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    let mut writer = json::Writer::with_capacity(path.len() * 2 + 128);
    writer.begin_bag().key("Scheme").string(scheme).key("RootPath").string(root);
    writer.key("DirectoryPath").string(directory).key("DirectoryName").string(name);
    writer.key("Filename").string(file).key("Extension").string(extension);
    writer.key("AlternateDataStreamName").string(stream).end_bag();
    writer.finish()
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
