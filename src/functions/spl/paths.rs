//! Values inside of JSON and XML texts.
use super::{each, text_at};
use crate::diagnostic::Result;
use crate::functions::Context;
use crate::functions::extraction::at_path;
use crate::types::{Column, Kind};

fn spath(_: &Context, args: &[Column], rows: usize) -> Result<Column> {
    each(args, rows, |row, out| {
        match (text_at(args, 0, row), text_at(args, 1, row)) {
            (Some(text), Some(path)) => out.push_several(at_path(&text, &path)),
            _ => out.push_null(),
        }
        Ok(())
    })
}

crate::kernels! {
    /// The values at a path of a JSON or XML text: `a.b` goes into objects, `l{}` takes all elements of an array and
    /// `l{0}` the first; an object or array is its JSON text.
    ///
    /// Source: Splunk Search Reference, spath.
    ///
    /// ```spl
    /// spath("{\"a\":{\"b\":\"x\"}}", "a.b") // x
    /// mvcount(spath("{\"l\":[{\"c\":1},{\"c\":2}]}", "l{}.c")) // 2
    /// spath("<a><b>1</b></a>", "a.b") // 1
    /// ```
    spl fn spath (text: Any, path: Any) -> Kind(Kind::Field) = spath;
}
