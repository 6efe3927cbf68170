//! Source: from a path to the CSV files in it, each as a stream of bytes.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::day::Progress;
use super::error::UwError;

/// The files of a folder that look like daily files, in order of name, or `path` itself.
pub fn files_in(path: &Path) -> Result<Vec<PathBuf>, UwError> {
    let failed = |source| UwError::Io {
        path: path.to_owned(),
        source,
    };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        names.push(
            entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort_unstable();
    names.retain(|name| !name.starts_with('.'));
    let is_daily = |name: &&String| {
        let name = name.to_ascii_lowercase();
        [".csv", ".csv.gz", ".zip"]
            .iter()
            .any(|ending| name.ends_with(ending))
    };
    let files: Vec<PathBuf> = names
        .iter()
        .filter(is_daily)
        .map(|name| path.join(name))
        .collect();
    if files.is_empty() {
        return Err(UwError::NoCsv {
            path: path.to_owned(),
            present: names,
        });
    }
    Ok(files)
}

/// Shows every CSV in the file at `path` to `each`, with how messages call it. What kind of file it is
/// is seen from its first bytes, not from its name.
pub(super) fn each_csv(
    path: &Path,
    progress: &Progress,
    mut each: impl FnMut(String, &mut dyn Read) -> Result<(), UwError>,
) -> Result<(), UwError> {
    let failed = |source| UwError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    (&mut file)
        .take(4)
        .read_to_end(&mut start)
        .map_err(failed)?;
    file.rewind().map_err(failed)?;
    let mut file = Watched { file, progress };
    let name = path.display().to_string();
    match start.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6] => each_csv_of_zip(path, file, each),
        [0x1f, 0x8b, ..] => {
            // A gzip file may be several, one behind the other.
            let buffered = io::BufReader::with_capacity(1 << 18, file);
            each(name, &mut MultiGzDecoder::new(buffered))
        }
        _ => each(name, &mut file),
    }
}

fn each_csv_of_zip(
    path: &Path,
    file: Watched,
    mut each: impl FnMut(String, &mut dyn Read) -> Result<(), UwError>,
) -> Result<(), UwError> {
    let corrupt = |source| UwError::CorruptZip {
        path: path.to_owned(),
        source,
    };
    let buffered = io::BufReader::with_capacity(1 << 18, file);
    let mut zip = ZipArchive::new(buffered).map_err(corrupt)?;
    let mut names = Vec::with_capacity(zip.len());
    for name in zip.file_names() {
        names.push(name.map_err(corrupt)?.into_owned());
    }
    names.sort_unstable();
    // Some archivers put files of their own beside the real ones, under the same names.
    let is_csv = |name: &&String| {
        let file = name.rsplit('/').next().unwrap_or(name);
        file.to_ascii_lowercase().ends_with(".csv")
            && !file.starts_with('.')
            && !name.starts_with("__MACOSX/")
    };
    let csv: Vec<&String> = names.iter().filter(is_csv).collect();
    if csv.is_empty() {
        return Err(UwError::NoCsv {
            path: path.to_owned(),
            present: names,
        });
    }
    for name in csv {
        let mut entry = zip.by_name(name).map_err(corrupt)?;
        each(format!("{}/{name}", path.display()), &mut entry)?;
    }
    Ok(())
}

/// A file that tells how much of it was read.
struct Watched<'a> {
    file: File,
    progress: &'a Progress<'a>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        (self.progress)(read as u64);
        Ok(read)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
