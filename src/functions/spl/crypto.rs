//! Digests, in hexadecimal digits.
use super::map_texts;
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::types::{Column, Kind};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::fmt::Write;

fn digest<D: Digest>(args: &[Column], rows: usize) -> Result<Column> {
    let Some(text) = args.first() else { return Ok(Column::nulls(Kind::Field, rows)) };
    map_texts(text, args, rows, |_, text, out| {
        for byte in D::digest(text.as_bytes()) {
            let _ = write!(out, "{byte:02x}");
        }
        Ok(true)
    })
}

fn md5(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    digest::<Md5>(args, rows)
}

fn sha1(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    digest::<Sha1>(args, rows)
}

fn sha256(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    digest::<Sha256>(args, rows)
}

fn sha512(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    digest::<Sha512>(args, rows)
}

crate::kernels! {
    /// The MD5 digest of a text.
    ///
    /// Source: Splunk Search Reference, cryptographic functions.
    ///
    /// ```spl
    /// md5("abc") // 900150983cd24fb0d6963f7d28e17f72
    /// ```
    spl fn md5 (text: Any) -> Kind(Kind::Field) = md5;

    /// The SHA-1 digest of a text.
    ///
    /// Source: Splunk Search Reference, cryptographic functions.
    ///
    /// ```spl
    /// sha1("abc") // a9993e364706816aba3e25717850c26c9cd0d89d
    /// ```
    spl fn sha1 (text: Any) -> Kind(Kind::Field) = sha1;

    /// The SHA-256 digest of a text.
    ///
    /// Source: Splunk Search Reference, cryptographic functions.
    ///
    /// ```spl
    /// substr(sha256("abc"), 1, 16) // ba7816bf8f01cfea
    /// ```
    spl fn sha256 (text: Any) -> Kind(Kind::Field) = sha256;

    /// The SHA-512 digest of a text.
    ///
    /// Source: Splunk Search Reference, cryptographic functions.
    ///
    /// ```spl
    /// substr(sha512("abc"), 1, 16) // ddaf35a193617aba
    /// ```
    spl fn sha512 (text: Any) -> Kind(Kind::Field) = sha512;
}
