//! A full disk: the fetch ends, nothing is half-written, and what is there is taken up elsewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use flowlab::fetch::FetchError;
use flowlab::fetch::Source::{Flat, Rest};

use super::{Ask, cache, differing, half_written, options, undisturbed, world};
use crate::standin::Server;

/// A disk of a few kB, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, and a word about it, where mounting is not allowed.
    fn mount(path: PathBuf, kilobytes: usize) -> Option<SmallDisk> {
        std::fs::create_dir(&path).expect("a folder");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"])
            .arg(&path)
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(SmallDisk(path));
        }
        eprintln!("skipped: cannot mount a small disk");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.display());
        }
    }
}

fn copy(files: &super::Cache, to: &Path) {
    for (path, bytes) in files {
        let path = to.join(path);
        std::fs::create_dir_all(path.parent().expect("a file")).expect("a folder");
        std::fs::write(path, bytes).expect("there is room");
    }
}

#[test]
fn a_full_disk_ends_it_and_what_is_stored_is_whole() {
    // The last straw is a table of bars, or one of flow.
    for (source, kilobytes) in [(Rest, 32), (Flat, 32), (Rest, 128), (Flat, 128)] {
        let server = Server::start(world(), options());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let Some(disk) = SmallDisk::mount(folder.path().join("small"), kilobytes) else {
            return;
        };
        let ended = Ask::of(source).fetch(&server, &disk.0);
        let error = ended.expect_err("there is no room");
        let text = format!("{error}: {}", cause(&error));
        assert!(text.contains("No space left on device"), "{text}");
        if let FetchError::Store(_) = error {
            let hint = error.hint().unwrap_or_default();
            assert!(hint.starts_with("free some space"), "{hint}");
        }
        let kept = cache(&disk.0);
        assert_eq!(half_written(&kept), [] as [&String; 0]);
        let larger = folder.path().join("larger");
        copy(&kept, &larger);
        let outcome = Ask::of(source).fetch(&server, &larger);
        assert!(!outcome.expect("there is room").has_gaps());
        let differing = differing(&cache(&larger), undisturbed(source));
        assert!(differing.is_empty(), "{differing:?}");
    }
}

fn cause(error: &FetchError) -> String {
    let source = std::error::Error::source(error);
    source.map(ToString::to_string).unwrap_or_default()
}
