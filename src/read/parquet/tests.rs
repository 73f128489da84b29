//! Files as many writers make them: what is read page by page is what the library reads.
use super::*;
use crate::read::scratch::Scratch;
use crate::read::source::Reading;
use crate::read::{Options, read, rows};
use crate::types::{Kind, Name};
use arrow_array::*;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use std::sync::OnceLock;

const ROWS: usize = 1000;

/// A value for every row; every `hole`th is null, where there are nulls.
fn values<T>(hole: usize, value: impl Fn(usize) -> T) -> Vec<Option<T>> {
    (0..ROWS).map(|row| (hole == 0 || row % hole > 0).then(|| value(row))).collect()
}

fn columns(hole: usize) -> Vec<(&'static str, ArrayRef)> {
    let few = |row: usize| ["Zscaler", "Fortinet", "a vendor with a long name", "Größe"][row * row % 4];
    let many = |row: usize| format!("{}user.{row}@contoso.com", if row.is_multiple_of(7) { "é" } else { "" });
    let time = |row: usize| 1_700_000_000_000 + (row as i64) * 999;
    vec![
        ("millis", Arc::new(TimestampMillisecondArray::from(values(hole, time))) as ArrayRef),
        ("micros", Arc::new(TimestampMicrosecondArray::from(values(hole, time)))),
        ("nanos", Arc::new(TimestampNanosecondArray::from(values(hole, time)))),
        ("long", Arc::new(Int64Array::from(values(hole, |row| -(row as i64) % 300)))),
        ("int", Arc::new(Int32Array::from(values(hole, |row| row as i32 / 40)))),
        ("real", Arc::new(Float64Array::from(values(hole, |row| row as f64 / 8.0)))),
        ("few", Arc::new(StringArray::from(values(hole, few)))),
        ("same", Arc::new(StringArray::from(values(hole, |_| "same")))),
        ("empty", Arc::new(StringArray::from(values(hole, |_| "")))),
        ("many", Arc::new(StringArray::from(values(hole, many)))),
        ("none", Arc::new(StringArray::from(vec![None::<&str>; ROWS]))),
    ]
}

fn written(hole: usize, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns(hole).into_iter().map(|(name, array)| (name, array, hole > 0 || name == "none")),
    );
    let batch = batch.unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn shared(path: &std::path::Path) -> Shared {
    let file = ParquetFile::open(&Input::new(path).unwrap()).unwrap();
    let names: Vec<Name> = columns(0).iter().map(|(name, _)| (*name).into()).collect();
    let kinds = names.iter().map(|_| Kind::String).collect();
    let reading = Arc::new(Reading::of(rows::Wanted::new(&names, None), kinds));
    Shared { number: 0, input: file.input, metadata: file.metadata, schema: file.schema, reading }
}

/// Compares some rows of a stretch of the only row group, of every column.
fn compare(file: &Shared, stretch: Range<usize>, rows: Option<&[u32]>) {
    let layout = file.layout(0).unwrap();
    for at in 0..file.schema.fields().len() {
        let name = file.schema.field(at).name();
        let dictionary = OnceLock::new();
        let form = file.form(0, at).unwrap_or_else(|| panic!("{name} has no form"));
        let flat = || Flat { form, dictionary: &dictionary };
        // The second time the dictionary is known.
        let _ = file.flat(0, at, flat(), Unread::new(&stretch, rows).unwrap());
        let unread = Unread::new(&stretch, rows).unwrap();
        let own = file.flat(0, at, flat(), unread).unwrap_or_else(|| panic!("{name} is not read"));
        let arrays = file.load(0, &layout, at, std::slice::from_ref(&stretch)).unwrap();
        let [array] = arrays.as_slice() else { panic!("{name} in parts") };
        let kind = import::natural_kind(file.schema.field(at));
        let theirs = import::load(array, kind, rows);
        let own = import::as_kind(own, kind);
        assert_eq!(own.len(), theirs.len(), "{name}");
        for row in 0..own.len() {
            assert_eq!(own.value(row), theirs.value(row), "{name} {stretch:?} {rows:?} {row}");
        }
    }
}

fn compare_all(bytes: &[u8]) {
    let scratch = Scratch::new(bytes);
    let file = shared(&scratch.0);
    let every = |step: usize, most: u32| (0..most).step_by(step).collect::<Vec<u32>>();
    for stretch in [0..ROWS, 0..64, 63..65, 300..777, 999..ROWS] {
        let most = stretch.len() as u32;
        compare(&file, stretch.clone(), None);
        for step in [1, 2, 5, 17, 400] {
            compare(&file, stretch.clone(), Some(&every(step, most)));
        }
        compare(&file, stretch.clone(), Some(&[most - 1]));
        compare(&file, stretch, Some(&[]));
    }
}

#[test]
fn pages_are_read_as_the_library_reads_them() {
    let builder = || WriterProperties::builder().set_data_page_row_count_limit(100).set_write_batch_size(50);
    let all = [
        builder().set_dictionary_enabled(false),
        builder(),
        // Dictionaries that are full early: what follows is plain.
        builder().set_dictionary_page_size_limit(600),
        builder().set_writer_version(WriterVersion::PARQUET_2_0).set_encoding(Encoding::PLAIN),
        builder().set_compression(Compression::SNAPPY),
        builder().set_compression(Compression::ZSTD(Default::default())),
    ];
    for builder in all {
        let properties = builder.build();
        for hole in [0, 3, 50] {
            compare_all(&written(hole, properties.clone()));
        }
    }
}

#[test]
fn other_encodings_are_left_to_the_library() {
    let builder = WriterProperties::builder().set_writer_version(WriterVersion::PARQUET_2_0);
    let scratch = Scratch::new(&written(9, builder.set_dictionary_enabled(false).build()));
    let file = shared(&scratch.0);
    let flat = Flat { form: file.form(0, 3).unwrap(), dictionary: &OnceLock::new() };
    assert!(file.flat(0, 3, flat, Unread::new(&(0..ROWS), None).unwrap()).is_none());
    let table = read(&[&scratch.0], &Options::default()).unwrap();
    let at = table.schema().names().position(|name| &**name == "long").unwrap();
    assert_eq!((table.rows(), table.to_rows()[10][at].to_text()), (ROWS, "-10".to_owned()));
}

#[test]
fn a_damaged_file_is_an_error_or_other_values_and_no_more() {
    let properties = WriterProperties::builder().set_data_page_row_count_limit(200).build();
    let whole = written(20, properties);
    let mut place = 1_usize;
    for _ in 0..300 {
        place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = whole.clone();
        let at = (place >> 20) % bytes.len();
        bytes[at] = (place >> 8) as u8;
        let scratch = Scratch::new(&bytes);
        if let Err(fault) = read(&[&scratch.0], &Options::default()) {
            let said = fault.message();
            let name = scratch.0.to_string_lossy();
            assert!(said.contains(&*name) && said.contains("cannot be read as Parquet"), "{said}");
        }
    }
}
