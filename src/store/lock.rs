//! The lock: one writer at a time per store, let go by the system when the writer dies.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::{StoreError, StoreProblem};

const NAME: &str = ".lock";

/// Held while somebody writes.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(root: &Path) -> Result<Lock, StoreError> {
        let path = root.join(NAME);
        let io = |e| StoreError::io(&path, e);
        std::fs::create_dir_all(root).map_err(io)?;
        let file = File::create(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::new(root, StoreProblem::Locked)),
            Err(TryLockError::Error(e)) => Err(io(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_kept_out_until_the_first_is_done() {
        let root = tempfile::tempdir().expect("a folder for the test");
        let first = Lock::take(root.path()).expect("nobody writes");
        let second = Lock::take(root.path()).expect_err("somebody writes");
        assert!(matches!(second.problem, StoreProblem::Locked));
        drop(first);
        Lock::take(root.path()).expect("nobody writes any more");
    }
}
