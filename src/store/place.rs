//! Places: a file is written beside its name, synced and renamed, so that a reader sees the old one or
//! the new one, whenever the writer dies.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::StoreError;

/// How the name of a file begins that is being written; one that is still there was left behind.
pub const LEFTOVER: &str = ".tmp";

/// A file that is written and not yet in its place. Dropped, it is gone.
pub struct Prepared {
    file: tempfile::TempPath,
    path: PathBuf,
}

/// From so many files on one sync of the file system takes less than two for each of them.
const MANY: usize = 64;

impl Prepared {
    /// Syncs the file and puts it in its place: from here on readers see it, whatever happens.
    pub fn commit(self) -> Result<(), StoreError> {
        let io = |e| StoreError::io(&self.path, e);
        let written = File::open(&self.file).map_err(io)?;
        written.sync_all().map_err(io)?;
        let path = self.put_in_place()?;
        let folder = path.parent().expect("a table's file lies in a folder");
        sync_folder(folder).map_err(|e| StoreError::io(&path, e))
    }

    /// Puts each of many files in its place, and stops at the first that cannot be.
    pub fn commit_all(prepared: Vec<Prepared>) -> Result<(), StoreError> {
        let Some(first) = prepared.first().filter(|_| prepared.len() >= MANY) else {
            return prepared.into_iter().try_for_each(Prepared::commit);
        };
        let root = first.path.clone();
        if !sync_file_system(&root)? {
            return prepared.into_iter().try_for_each(Prepared::commit);
        }
        // What they hold is safe: now their names, all at once again.
        for prepared in prepared {
            prepared.put_in_place()?;
        }
        sync_file_system(&root).map(|_| ())
    }

    fn put_in_place(self) -> Result<PathBuf, StoreError> {
        let path = self.path;
        match self.file.persist(&path) {
            Ok(()) => Ok(path),
            Err(e) => Err(StoreError::io(&path, e.error)),
        }
    }
}

/// Makes everything durable that was written to the file system of `path`, or says that this system
/// knows no such thing.
#[cfg(target_os = "linux")]
fn sync_file_system(path: &Path) -> Result<bool, StoreError> {
    let folder = path.parent().expect("a table's file lies in a folder");
    let folder = File::open(folder).map_err(|e| StoreError::io(path, e))?;
    let synced = rustix::fs::syncfs(&folder);
    synced.map_err(|e| StoreError::io(path, e.into()))?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &Path) -> Result<bool, StoreError> {
    Ok(false)
}

/// Writes a file beside `path` with what `write` puts into it, and syncs it; nothing changes until
/// the file is committed.
pub fn beside(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), StoreError>,
) -> Result<Prepared, StoreError> {
    let io = |e| StoreError::io(path, e);
    let folder = path.parent().expect("a table's file lies in a folder");
    std::fs::create_dir_all(folder).map_err(io)?;
    let mut file = tempfile::Builder::new()
        .prefix(LEFTOVER)
        .tempfile_in(folder)
        .map_err(io)?;
    write(file.as_file_mut())?;
    make_readable(file.as_file()).map_err(io)?;
    Ok(Prepared {
        file: file.into_temp_path(),
        path: path.to_owned(),
    })
}

/// Writes a small file of the store's folder that is no table: all of it is there afterwards, or
/// nothing has changed.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let written = beside(path, |file| {
        write(file).map_err(|e| StoreError::io(path, e))
    });
    written?.commit()
}

/// Temporary files are private; tables are for every program of the user's group.
#[cfg(unix)]
fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// Makes a rename inside `folder` durable, where folders can be synced.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
