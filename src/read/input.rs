//! Files as bytes: opened, told apart by their compression, decoded.
use crate::diagnostic::{Fault, Result};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

/// One file to read.
#[derive(Clone, Debug)]
pub struct Input {
    pub path: PathBuf,
    pub compression: Compression,
    /// Whether it begins as a Parquet file does.
    pub is_parquet: bool,
    /// Bytes as they lie on the disk.
    pub size: u64,
    /// When it was written, as far as it is known: a changed file is another source.
    pub modified: Option<std::time::SystemTime>,
}

impl Input {
    /// Looks at the file; an error names the path.
    pub fn new(path: &Path) -> Result<Input> {
        let mut file = open_file(path)?;
        let about = file.metadata().map_err(|error| unreadable(path, &error))?;
        if about.is_dir() {
            return Err(Fault::data("HP401", format!("`{}` is a folder", path.display())));
        }
        let mut head = [0; 4];
        let length = read_full(&mut file, &mut head).map_err(|error| unreadable(path, &error))?;
        let compression = match head.get(..length) {
            Some([0x1F, 0x8B, ..]) => Compression::Gzip,
            Some([0x28, 0xB5, 0x2F, 0xFD]) => Compression::Zstd,
            _ => Compression::None,
        };
        let is_parquet = head == *b"PAR1";
        let modified = about.modified().ok();
        Ok(Input { path: path.to_owned(), compression, is_parquet, size: about.len(), modified })
    }

    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The decoded bytes from the beginning.
    pub fn reader(&self) -> Result<Box<dyn Read + Send>> {
        let file = open_file(&self.path)?;
        Ok(match self.compression {
            Compression::None => Box::new(file),
            Compression::Gzip => {
                Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(256 << 10, file)))
            }
            Compression::Zstd => {
                Box::new(zstd::stream::read::Decoder::new(file).map_err(|error| unreadable(&self.path, &error))?)
            }
        })
    }

    /// The first decoded bytes, at most `most`; what a damaged file still gives.
    pub fn head(&self, most: usize) -> Result<Vec<u8>> {
        let mut reader = self.reader()?;
        let mut bytes = Vec::new();
        let outcome = reader.by_ref().take(most as u64).read_to_end(&mut bytes);
        match outcome {
            Err(error) if bytes.is_empty() && self.compression == Compression::None => {
                Err(unreadable(&self.path, &error))
            }
            _ => Ok(bytes),
        }
    }

    /// The line, from 1, that a place of the decoded bytes is in.
    pub fn line_at(&self, place: u64) -> u64 {
        let Ok(reader) = self.reader() else { return 0 };
        let mut reader = reader.take(place);
        let mut buffer = vec![0; 256 << 10];
        let mut lines = 1;
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            lines += memchr::memchr_iter(b'\n', buffer.get(..read).unwrap_or_default()).count() as u64;
        }
        lines
    }
}

pub fn open_file(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| unreadable(path, &error))
}

pub fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let code = if error.kind() == std::io::ErrorKind::NotFound { "HP400" } else { "HP401" };
    let what = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    };
    Fault::data(code, format!("cannot read `{}`: {what}", path.display()))
}

/// Reads until the buffer is full or the input ends.
pub fn read_full(reader: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads at a place of the file, as much as there is.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match position_read(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn position_read(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn position_read(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
