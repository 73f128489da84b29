//! Messages of Splunk's search command protocol, version 2: `chunked 1.0,<bytes of metadata>,<bytes of body>`, a line
//! end, the metadata as JSON, the body as CSV.
use crate::diagnostic::{Fault, Result};
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, Read, Write};

/// What one read takes from the input at most.
const BUFFER: usize = 64 << 10;
/// A first line is not longer.
const LONGEST_LINE: u64 = 128;
const LONGEST_METADATA: u64 = 64 << 20;

/// A message whose body is not read yet.
#[derive(Debug)]
pub struct Frame {
    pub metadata: Value,
    /// How many bytes of body follow.
    pub body: u64,
}

/// Reads messages.
pub struct Frames<R> {
    input: BufReader<R>,
}

impl<R: Read> Frames<R> {
    pub fn new(input: R) -> Frames<R> {
        Frames { input: BufReader::with_capacity(BUFFER, input) }
    }

    /// The next message; none at the end of the input.
    ///
    /// Errors: an input that is none of the protocol's, or ends inside a message.
    pub fn next(&mut self) -> Result<Option<Frame>> {
        let mut line = Vec::new();
        let read = (&mut self.input).take(LONGEST_LINE).read_until(b'\n', &mut line);
        read.map_err(|error| unreadable(&error))?;
        if line.is_empty() {
            return Ok(None);
        }
        let (metadata, body) = lengths(&line).ok_or_else(|| no_message(&line))?;
        if metadata > LONGEST_METADATA {
            return Err(broken(format!("its metadata would have {metadata} bytes")));
        }
        let mut text = vec![0; metadata as usize];
        self.input.read_exact(&mut text).map_err(|error| unreadable(&error))?;
        let metadata = match text.is_empty() {
            true => Map::new(),
            false => serde_json::from_slice(&text)
                .map_err(|error| broken(format!("its metadata is no JSON object: {error}")))?,
        };
        Ok(Some(Frame { metadata: Value::Object(metadata), body }))
    }

    /// Whether bytes have come already that nobody has asked for.
    pub fn has_more(&self) -> bool {
        !self.input.buffer().is_empty()
    }

    /// What follows a message's metadata.
    pub fn body(&mut self) -> &mut impl Read {
        &mut self.input
    }
}

/// Writes a message and hands it over.
pub fn write(out: &mut impl Write, metadata: &Value, body: &[u8]) -> std::io::Result<()> {
    let metadata = metadata.to_string();
    let mut head = format!("chunked 1.0,{},{}\n", metadata.len(), body.len()).into_bytes();
    head.extend_from_slice(metadata.as_bytes());
    out.write_all(&head)?;
    out.write_all(body)?;
    out.flush()
}

/// The lengths that a first line states.
fn lengths(line: &[u8]) -> Option<(u64, u64)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let rest = line.strip_prefix("chunked")?;
    let numbers = rest.strip_prefix([' ', '\t'])?.trim_start().strip_prefix("1.0")?;
    let mut parts = numbers.split(',').map(str::trim);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    match (parts.next()?, digits(parts.next()?), digits(parts.next()?), parts.next()) {
        ("", Some(metadata), Some(body), None) => Some((metadata, body)),
        _ => None,
    }
}

fn no_message(line: &[u8]) -> Fault {
    let start: String = String::from_utf8_lossy(line).trim_end().chars().take(40).collect();
    broken(format!("it begins with `{}`", start.escape_debug()))
}

fn unreadable(error: &std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => broken("the input ends inside of it"),
        _ => broken(format!("the input cannot be read: {error}")),
    }
}

/// What is said of a message that is none.
pub fn broken(what: impl std::fmt::Display) -> Fault {
    Fault::data("HP453", format!("a message of splunkd is broken: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(bytes: &[u8]) -> Result<Vec<(Value, Vec<u8>)>> {
        let mut frames = Frames::new(bytes);
        let mut found = Vec::new();
        while let Some(frame) = frames.next()? {
            let mut body = Vec::new();
            let read = frames.body().take(frame.body).read_to_end(&mut body);
            assert!(read.is_ok());
            found.push((frame.metadata, body));
        }
        Ok(found)
    }

    #[test]
    fn messages_one_behind_the_other() {
        let found = frames(b"chunked 1.0,7,2\n{\"a\":1}xychunked  1.0 , 0 , 0 \n").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].0["a"].as_i64(), found[0].1.as_slice()), (Some(1), b"xy".as_slice()));
        assert_eq!(found[1], (serde_json::json!({}), Vec::new()));
    }

    #[test]
    fn broken_messages_have_one_clear_error() {
        for text in [
            "hello\n",
            "chunked 2.0,1,1\n",
            "chunked 1.0,-1,0\n",
            "chunked 1.0,9,0\n{}",
            "chunked 1.0,2,0\nxy",
            "chunked 1.0,1",
        ] {
            let fault = frames(text.as_bytes()).unwrap_err();
            assert!(fault.message().starts_with("a message of splunkd is broken"), "{text}: {fault}");
        }
    }

    #[test]
    fn lengths_are_bytes() {
        let mut out = Vec::new();
        write(&mut out, &serde_json::json!({"a": "ü"}), "é\n".as_bytes()).unwrap();
        assert_eq!(frames(&out).unwrap(), [(serde_json::json!({"a": "ü"}), "é\n".as_bytes().to_vec())]);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), start in 0usize..3) {
            let start: &[u8] = [b"".as_slice(), b"chunked 1.0,", b"chunked 1.0,2,3\n{}"][start];
            let text = [start, &bytes].concat();
            let _ = frames(&text);
        }
    }
}
