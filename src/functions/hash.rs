//! Hashes of values, and identifiers made up.
use super::Context;
use super::items::value_rows;
use super::row::{AnyText, GuidOut, each};
use crate::diagnostic::{Fault, Result};
use crate::types::{Builder, Column, Kind, Value, datetime, numbers};
use sha1::Digest;
use twox_hash::XxHash64;

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// XXH64 of a text's UTF-8, or of a value's little-endian bytes: a datetime's are its ticks since year 1.
fn xxhash(value: &Value) -> Option<u64> {
    let of = |bytes: &[u8]| Some(XxHash64::oneshot(0, bytes));
    match value {
        Value::Null(_) => None,
        Value::Text(_, text) => of(text.as_bytes()),
        Value::Field(_) => of(value.to_text().as_bytes()),
        Value::Bool(value) => of(&[u8::from(*value)]),
        Value::Int(value) => of(&value.to_le_bytes()),
        Value::Long(value) | Value::TimeSpan(value) => of(&value.to_le_bytes()),
        Value::Real(value) => of(&value.to_le_bytes()),
        Value::DateTime(value) => of(&value.wrapping_sub(datetime::MIN).to_le_bytes()),
    }
}

/// The hash as a long; with a modulus from 0 to one less than it.
fn reduced(hash: u64, modulus: Option<i64>) -> Option<i64> {
    match modulus {
        None => Some(hash as i64),
        Some(modulus) => i64::try_from(hash % u64::try_from(modulus).ok().filter(|m| *m > 0)?).ok(),
    }
}

fn hash(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    let value = args.first().ok_or_else(|| Fault::internal("a hash of nothing"))?;
    let modulus = |row: usize| args.get(1).and_then(|modulus| modulus.value(row).as_long());
    let constant = args.get(1).is_none_or(Column::is_const).then(|| modulus(0));
    let reduce = |row: usize, hash: u64| reduced(hash, constant.unwrap_or_else(|| modulus(row)));
    if let Column::Text(_, text) = value {
        let of = |row: usize| reduce(row, XxHash64::oneshot(0, text.get(row)?.as_bytes()));
        return Ok(Column::Long(numbers(rows, of)));
    }
    Ok(value_rows(Kind::Long, args, rows, |row| Some(Value::Long(reduce(row, xxhash(&value.value(row))?)?))))
}

/// The hash of hashes, one after the other; nulls are passed over.
fn combined(args: &[Column], rows: usize, hash: fn(&Value) -> Option<u64>) -> Result<Column> {
    each(Kind::Long, args, rows, |row, out: &mut Builder| {
        let bytes: Vec<u8> = args.iter().filter_map(|c| hash(&c.value(row))).flat_map(u64::to_le_bytes).collect();
        out.push_long(XxHash64::oneshot(0, &bytes) as i64);
        Ok(())
    })
}

fn hash_many(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    combined(args, rows, xxhash)
}

fn hash_combine(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    combined(args, rows, |value| value.as_long().map(|hash| hash as u64))
}

crate::scalars! {
    /// The MD5 hash of a value's text, in hexadecimal digits.
    ///
    /// Source: hash-md5-function.
    ///
    /// ```kql
    /// hash_md5("World") // f5a7924e621e84c9280a9a27e1bcb7f6
    /// hash_md5(datetime(2020-01-01)) // 786c530672d1f8db31fee25ea8a9390b
    /// ```
    kql fn hash_md5(value: AnyText) -> String { hexadecimal(&md5::Md5::digest(value.as_bytes())) }

    /// The SHA-1 hash of a value's text, in hexadecimal digits.
    ///
    /// Source: hash-sha1-function.
    ///
    /// ```kql
    /// hash_sha1("World") // 70c07ec18ef89c5309bbb0937f3a6342411e1fdd
    /// hash_sha1(datetime(2020-01-01)) // e903e533f4d636b4fc0dcf3cf81e7b7f330de776
    /// ```
    kql fn hash_sha1(value: AnyText) -> String { hexadecimal(&sha1::Sha1::digest(value.as_bytes())) }

    /// The SHA-256 hash of a value's text, in hexadecimal digits.
    ///
    /// Source: hash-sha256-function.
    ///
    /// ```kql
    /// hash_sha256("World") // 78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524
    /// ```
    kql fn hash_sha256(value: AnyText) -> String { hexadecimal(&sha2::Sha256::digest(value.as_bytes())) }

    /// A random guid, another one for every row.
    ///
    /// Source: new-guid-function.
    ///
    /// ```kql
    /// strlen(tostring(new_guid())) // 36
    /// ```
    kql #per_row fn new_guid() -> GuidOut { GuidOut(uuid::Uuid::new_v4().to_string()) }
}

crate::kernels! {
    /// A 64-bit hash of a value (XXH64); with a modulus reduced to 0 and up.
    ///
    /// Source: hash-function, hash-xxhash64-function.
    ///
    /// ```kql
    /// hash("World") // 1846988464401551951
    /// hash("World", 100) // 51
    /// hash(datetime("2015-01-01")) // 1380966698541616202
    /// ```
    kql fn hash as [hash_xxhash64] (value: Any, modulus[optional]: Long) -> Kind(Kind::Long) = hash;

    /// One hash of several values, good for comparisons within a query.
    ///
    /// Kusto's own way of combining is not published, and its results differ from these.
    ///
    /// Source: hash-many-function.
    ///
    /// ```kql
    /// hash_many("Hello", "World") == hash_combine(hash("Hello"), hash("World")) // true
    /// ```
    kql fn hash_many (value[repeats]: Any) -> Kind(Kind::Long) = hash_many;

    /// One hash of several hashes, good for comparisons within a query.
    ///
    /// Kusto's own way of combining is not published, and its results differ from these.
    ///
    /// Source: hash-combine-function.
    ///
    /// ```kql
    /// hash_combine(1, 2) == hash_combine(2, 1) // false
    /// ```
    kql fn hash_combine (hash[repeats]: Long) -> Kind(Kind::Long) = hash_combine;
}
