//! Functions between texts and their encoded forms: Base64, percent signs, compression, Punycode.
use super::Context;
use super::row::{Dyn, Guid, GuidOut, JsonOut, Str, each, each_text, text_of};
use crate::diagnostic::{Fault, Result};
use crate::types::{Column, Kind, Value, json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{Read, Write};

/// The most bytes that a text may decompress to: what is longer is no result of an honest rule.
const MOST_DECOMPRESSED: u64 = 256 << 20;

/// Texts below this many bytes are stored in the compressed form as they are.
const STORED_BELOW: usize = 128;

/// The most characters of a text that is encoded as Punycode, or decoded.
const MOST_PUNYCODE: usize = 1024;

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

fn only(args: &[Column]) -> Result<&Column> {
    args.first().ok_or_else(|| Fault::internal("a function of one text was given none"))
}

/// Room that is used again for each text.
#[derive(Default)]
struct Room(Vec<u8>);

impl Room {
    fn of(&mut self, bytes: usize) -> &mut [u8] {
        if self.0.len() < bytes {
            self.0.resize(bytes, 0);
        }
        &mut self.0
    }
}

fn encode_texts(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let text = only(args)?;
    let mut room = Room::default();
    Ok(each_text(Kind::String, args, rows, |row, out| {
        let text = text_of(text, row);
        let room = room.of(text.len().div_ceil(3) * 4);
        let length = STANDARD.encode_slice(text.as_bytes(), room).unwrap_or(0);
        out.push_str(room.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default());
        true
    }))
}

fn decode_texts(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let text = only(args)?;
    let mut room = Room::default();
    each(Kind::String, args, rows, |row, out| {
        let text = text.text(row).unwrap_or_default();
        let room = room.of(base64::decoded_len_estimate(text.len()));
        let bytes = STANDARD.decode_slice(text, room).ok().and_then(|length| room.get(..length));
        match bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()) {
            Some(text) => out.push_text(text),
            None => out.push_null(),
        }
        Ok(())
    })
}

fn byte_array(bytes: &[u8]) -> String {
    let mut writer = json::Writer::with_capacity(bytes.len() * 4 + 2);
    writer.begin_array();
    bytes.iter().for_each(|byte| {
        writer.long(i64::from(*byte));
    });
    writer.end_array();
    writer.finish()
}

/// The bytes of an array of integers; none where one is no byte.
fn bytes_of(array: &[Value]) -> Option<Vec<u8>> {
    array.iter().map(|value| u8::try_from(value.as_long()?).ok()).collect()
}

/// Where the bytes of a guid's text stand in its binary form: the first three parts are little-endian.
const GUID_ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

fn guid_text(bytes: &[u8]) -> Option<String> {
    let bytes: &[u8; 16] = bytes.try_into().ok()?;
    let mut out = String::with_capacity(36);
    for (place, from) in GUID_ORDER.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "{:02x}", bytes.get(*from)?);
    }
    Some(out)
}

fn guid_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.replace('-', "");
    let byte = |place: usize| u8::from_str_radix(digits.get(place * 2..place * 2 + 2)?, 16).ok();
    GUID_ORDER.iter().map(|from| byte(*from)).collect()
}

/// The bytes that stand for themselves in a URL.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric()
            || matches!(byte as u8, b'-' | b'_' | b'.' | b'!' | b'*' | b'(' | b')');
        byte += 1;
    }
    plain
};

/// `%xx` of every byte, one after the other; lower-case digits, as .NET writes them.
const CODES: &str = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    const BYTES: [u8; 768] = {
        let mut codes = [b'%'; 768];
        let mut byte = 0;
        while byte < 256 {
            codes[byte * 3 + 1] = DIGITS[byte >> 4];
            codes[byte * 3 + 2] = DIGITS[byte & 15];
            byte += 1;
        }
        codes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(codes) => codes,
        Err(_) => "",
    }
};

/// A blank as `blank`.
fn percent_encode(text: &str, blank: &str, out: &mut String) {
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if PLAIN[usize::from(byte)] {
            continue;
        }
        // What stands for itself is ASCII, so that both ends of it are ends of characters.
        out.push_str(text.get(start..at).unwrap_or_default());
        let code = usize::from(byte) * 3;
        out.push_str(if byte == b' ' { blank } else { CODES.get(code..code + 3).unwrap_or_default() });
        start = at + 1;
    }
    out.push_str(text.get(start..).unwrap_or_default());
}

fn percent_encoded(args: &[Column], rows: usize, blank: &str) -> Result<Column> {
    let text = only(args)?;
    Ok(each_text(Kind::String, args, rows, |row, out| {
        percent_encode(text.text(row).unwrap_or_default(), blank, out);
        true
    }))
}

fn url_encode(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    percent_encoded(args, rows, "+")
}

fn url_encode_component(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    percent_encoded(args, rows, "%20")
}

/// `+` is a blank; a percent sign without two digits stays.
pub(super) fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|b| matches!(b, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let blanks = text.replace('+', " ");
    Cow::Owned(percent_encoding::percent_decode_str(&blanks).decode_utf8_lossy().into_owned())
}

fn level(text: &str) -> flate2::Compression {
    if text.len() < STORED_BELOW { flate2::Compression::none() } else { flate2::Compression::fast() }
}

/// The header says neither time nor system.
fn gzip(text: &str) -> Option<String> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut encoder = flate2::write::DeflateEncoder::new(&mut out, level(text));
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok()?;
    let mut sum = flate2::Crc::new();
    sum.update(text.as_bytes());
    out.extend(sum.sum().to_le_bytes());
    out.extend(sum.amount().to_le_bytes());
    Some(STANDARD.encode(out))
}

fn zlib(text: &str) -> Option<String> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level(text));
    encoder.write_all(text.as_bytes()).ok()?;
    Some(STANDARD.encode(encoder.finish().ok()?))
}

/// What a reader gives in full; none where it fails, is too long or is no UTF-8.
fn inflated(reader: impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    reader.take(MOST_DECOMPRESSED + 1).read_to_end(&mut bytes).ok()?;
    String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= MOST_DECOMPRESSED)
}

fn to_punycode(text: &str) -> Option<String> {
    if text.chars().nth(MOST_PUNYCODE).is_some() { None } else { punycode::encode(text).ok() }
}

fn from_punycode(text: &str) -> Option<String> {
    if text.len() > MOST_PUNYCODE { None } else { punycode::decode(text).ok() }
}

/// Each label of a domain, separated by any of IDNA's four dots, changed and joined by plain ones.
fn labels(domain: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let changed: Option<Vec<String>> = domain.split(['.', '。', '．', '｡']).map(change).collect();
    Some(changed?.join("."))
}

fn encode_label(label: &str) -> Option<String> {
    if label.is_ascii() { Some(label.to_owned()) } else { Some(format!("xn--{}", to_punycode(label)?)) }
}

fn decode_label(label: &str) -> Option<String> {
    match label.get(..4).filter(|start| start.eq_ignore_ascii_case("xn--")).and_then(|_| label.get(4..)) {
        Some(encoded) => from_punycode(encoded),
        None => Some(label.to_owned()),
    }
}

crate::scalars! {
    /// The bytes that Base64 stands for, as an array; null where it is no Base64.
    ///
    /// Source: base64-decode-toarray-function.
    ///
    /// ```kql
    /// base64_decode_toarray("S3VzdG8=") // [75,117,115,116,111]
    /// base64_decode_toarray("S3VzdG8") // null
    /// ```
    kql fn base64_decode_toarray(text: Str) -> Option<JsonOut> {
        decode(text).map(|bytes| JsonOut(byte_array(&bytes)))
    }

    /// The guid whose 16 bytes Base64 stands for; null where it is none.
    ///
    /// Source: base64-decode-toguid-function.
    ///
    /// ```kql
    /// base64_decode_toguid("JpbpECu8dUy7Pv5gbeJXAA==") // 10e99626-bc2b-4c75-bb3e-fe606de25700
    /// base64_decode_toguid("abcd1231") // null
    /// ```
    kql fn base64_decode_toguid(text: Str) -> Option<GuidOut> { guid_text(&decode(text)?).map(GuidOut) }

    /// An array of bytes as Base64; empty where an element is no byte.
    ///
    /// Source: base64-encode-fromarray-function.
    ///
    /// ```kql
    /// base64_encode_fromarray(dynamic([75,117,115,116,111])) // S3VzdG8=
    /// ```
    kql fn base64_encode_fromarray(bytes: Dyn) -> Option<String> {
        Some(STANDARD.encode(bytes_of(&bytes.elements()?)?))
    }

    /// A guid's 16 bytes as Base64.
    ///
    /// Source: base64-encode-fromguid-function.
    ///
    /// ```kql
    /// base64_encode_fromguid(toguid("ae3133f2-6e22-49ae-b06a-16e6a9b212eb")) // 8jMxriJurkmwahbmqbIS6w==
    /// ```
    kql fn base64_encode_fromguid(guid: Guid) -> Option<String> { guid_bytes(guid).map(|b| STANDARD.encode(b)) }

    /// The text that was encoded for a URL: `%xx` and `+` decoded.
    ///
    /// Source: url-decode-function.
    ///
    /// ```kql
    /// url_decode("https%3a%2f%2fwww.bing.com%2f") // https://www.bing.com/
    /// url_decode("a+b%20100%") // a b 100%
    /// ```
    kql fn url_decode(text: Str) -> Cow<'_, str> { percent_decode(text) }

    /// A text compressed with gzip, as Base64.
    ///
    /// How well it is compressed may differ from Kusto; decompressed it is the same.
    ///
    /// Source: gzip-base64-compress.
    ///
    /// ```kql
    /// gzip_compress_to_base64_string("1234567890qwertyuiop") // H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA==
    /// ```
    kql fn gzip_compress_to_base64_string(text: Str) -> Option<String> { gzip(text) }

    /// The text that was compressed with gzip and written as Base64; empty where it was not.
    ///
    /// Source: gzip-base64-decompress.
    ///
    /// ```kql
    /// gzip_decompress_from_base64_string("H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA==") // 1234567890qwertyuiop
    /// gzip_decompress_from_base64_string("x0x0x0") //
    /// ```
    kql fn gzip_decompress_from_base64_string(text: Str) -> Option<String> {
        inflated(flate2::read::GzDecoder::new(decode(text)?.as_slice()))
    }

    /// A text compressed with zlib, as Base64.
    ///
    /// How well it is compressed may differ from Kusto; decompressed it is the same.
    ///
    /// Source: zlib-base64-compress-function.
    ///
    /// ```kql
    /// zlib_compress_to_base64_string("1234567890qwertyuiop") // eAEBFADr/zEyMzQ1Njc4OTBxd2VydHl1aW9wOAkGdw==
    /// ```
    kql fn zlib_compress_to_base64_string(text: Str) -> Option<String> { zlib(text) }

    /// The text that was compressed with zlib and written as Base64; empty where it was not.
    ///
    /// Source: zlib-base64-decompress-function.
    ///
    /// ```kql
    /// zlib_decompress_from_base64_string("eJwLSS0uUSguKcrMS1cwNDIGACxqBQ4=") // Test string 123
    /// zlib_decompress_from_base64_string("x0x0x0") //
    /// ```
    kql fn zlib_decompress_from_base64_string(text: Str) -> Option<String> {
        inflated(flate2::read::ZlibDecoder::new(decode(text)?.as_slice()))
    }

    /// A text as Punycode, without `xn--`.
    ///
    /// Source: punycode-from-string-function.
    ///
    /// ```kql
    /// punycode_from_string("académie-française") // acadmie-franaise-npb1a
    /// ```
    kql fn punycode_from_string(text: Str) -> Option<String> { to_punycode(text) }

    /// The text that Punycode without `xn--` stands for; empty where it is none.
    ///
    /// Source: punycode-to-string-function.
    ///
    /// ```kql
    /// punycode_to_string("acadmie-franaise-npb1a") // académie-française
    /// ```
    kql fn punycode_to_string(text: Str) -> Option<String> { from_punycode(text) }

    /// A domain name with its labels decoded from Punycode.
    ///
    /// Source: punycode-domain-from-string-function.
    ///
    /// ```kql
    /// punycode_domain_from_string("xn--Ry-lja8c.xn--Jng-uta63a.xn--Bng-9ka.com") // Rúyì.Jīngū.Bàng.com
    /// ```
    kql fn punycode_domain_from_string(domain: Str) -> Option<String> { labels(domain, decode_label) }

    /// A domain name with the labels beyond ASCII encoded as Punycode.
    ///
    /// Source: punycode-domain-to-string-function.
    ///
    /// ```kql
    /// punycode_domain_to_string("Kaledvoulc'h.Artorījos.edu") // Kaledvoulc'h.xn--Artorjos-ejb.edu
    /// ```
    kql fn punycode_domain_to_string(domain: Str) -> Option<String> { labels(domain, encode_label) }
}

crate::kernels! {
    /// A text fit for a URL: what is no letter, digit or one of `-_.!*()` as `%xx`, a blank as `+`.
    ///
    /// Source: url-encode-function.
    ///
    /// ```kql
    /// url_encode("https://www.bing.com/hello world") // https%3a%2f%2fwww.bing.com%2fhello+world
    /// ```
    kql fn url_encode (text: String) -> Kind(Kind::String) = url_encode;

    /// A text fit for a URL: what is no letter, digit or one of `-_.!*()` as `%xx`, a blank as `%20`.
    ///
    /// Source: url-encode-component-function.
    ///
    /// ```kql
    /// url_encode_component("https://www.bing.com/hello world") // https%3a%2f%2fwww.bing.com%2fhello%20world
    /// ```
    kql fn url_encode_component (text: String) -> Kind(Kind::String) = url_encode_component;

    /// A text as Base64 of its UTF-8.
    ///
    /// Source: base64-encode-tostring-function.
    ///
    /// ```kql
    /// base64_encode_tostring("Kusto") // S3VzdG8=
    /// ```
    kql fn base64_encode_tostring as [base64_encodestring] (text: Any) -> Kind(Kind::String) = encode_texts;

    /// The text that Base64 stands for; empty where it is no Base64 or no UTF-8.
    ///
    /// Source: base64-decode-tostring-function.
    ///
    /// ```kql
    /// base64_decode_tostring("S3VzdG8=") // Kusto
    /// base64_decode_tostring("U3RyaW5n0KHR0tGA0L7Rh9C60LA=") //
    /// ```
    kql fn base64_decode_tostring as [base64_decodestring] (text: String) -> Kind(Kind::String) = decode_texts;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compresses_long_texts_and_back() {
        let text = "All work and no play. ".repeat(1000);
        let short = gzip(&text).filter(|short| short.len() < text.len());
        let bytes = short.and_then(|short| decode(&short)).unwrap_or_default();
        assert_eq!(inflated(flate2::read::GzDecoder::new(bytes.as_slice())), Some(text));
    }

    #[test]
    fn dots_of_every_kind_part_labels() {
        let encoded = labels("Lê Lợi。Thuận Thiên。com", encode_label);
        assert_eq!(encoded.as_deref(), Some("xn--L Li-gpa4517b.xn--Thun Thin-s4a7194f.com"));
        assert_eq!(labels("xn--é", decode_label), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_without_a_panic(text: String) {
            let _ = (from_punycode(&text), decode(&text), guid_bytes(&text), labels(&text, decode_label));
            let mut encoded = String::new();
            percent_encode(&text, "+", &mut encoded);
            proptest::prop_assert_eq!(percent_decode(&encoded).into_owned(), text.clone());
            let there = to_punycode(&text);
            proptest::prop_assert!(there.is_none_or(|t| from_punycode(&t).is_none_or(|back| back == text)));
        }
    }
}
