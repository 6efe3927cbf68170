//! The disk says no, or the user does: nothing half-written stays.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::expect;

use super::files_below;
use crate::desk::{Desk, Ran};

const RUN: &str = "backtest --start 2025-11-10 --end 2025-11-21";

#[test]
fn a_place_that_cannot_be_written_to_is_found_out_before_the_work() {
    let desk = Desk::with_market();
    desk.write("file", "");
    desk.fails(
        &format!("{RUN} --runs-dir file"),
        2,
        &expect![[r#"
        error: cannot write to file: file is not a folder
        hint: choose another folder with --runs-dir
    "#]],
    );
    desk.fails(
        &format!("{RUN} --runs-dir file/runs"),
        2,
        &expect![[r#"
        error: cannot write to file/runs: file is not a folder
        hint: choose another folder with --runs-dir
    "#]],
    );
    if !Path::new("/proc/self").exists() {
        eprintln!("skipped: there is no /proc, where nobody can write");
        return;
    }
    let fetch = "fetch --provider synthetic --data-dir /proc/data";
    let run = format!("{RUN} --runs-dir /proc/runs");
    for (command, folder, option) in [
        (run.as_str(), "/proc/runs", "--runs-dir"),
        (fetch, "/proc/data", "--data-dir"),
    ] {
        let ran = desk.run(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{command}");
        // What the system says in between differs.
        let error = format!("error: cannot write to {folder}: ");
        let hint = format!("\nhint: choose another folder with {option}\n");
        assert!(
            ran.stderr.starts_with(&error) && ran.stderr.ends_with(&hint),
            "{}",
            ran.stderr
        );
    }
    desk.holds_nothing_half_written();
}

/// A disk of 64 kB, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, and a word about it, where mounting is not allowed.
    fn mount(path: PathBuf) -> Option<SmallDisk> {
        std::fs::create_dir(&path).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(&path)
            .output();
        match mount {
            Ok(output) if output.status.success() => Some(SmallDisk(path)),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).into_owned();
                eprintln!("skipped: cannot mount a small disk: {}", why.trim());
                None
            }
            Err(e) => {
                eprintln!("skipped: cannot mount a small disk: {e}");
                None
            }
        }
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

/// The file is named as it would have been called; which one is the last straw does not matter.
fn check_full(ran: &Ran, below: &str) {
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let [error, because, hint] = lines[..] else {
        panic!("{}", ran.stderr);
    };
    assert!(error.starts_with("error: cannot "), "{error}");
    let file = because.strip_prefix(&format!("  because {below}"));
    assert!(
        file.is_some_and(|file| file.contains(": No space left on device")),
        "{because}"
    );
    expect!["hint: free some space and run the same command again; nothing was left half-written"]
        .assert_eq(hint);
}

#[test]
fn a_full_disk_keeps_the_runs_it_had() {
    let desk = Desk::with_market();
    let Some(_disk) = SmallDisk::mount(desk.path("runs")) else {
        return;
    };
    // A run without signals still has room.
    let silent =
        "--set scalp.enabled=false --set day_trade.enabled=false --set swing.enabled=false";
    let first = desk.run(&format!("{RUN} {silent}"));
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let kept = desk.only_run();
    let ran = desk.run(RUN);
    check_full(&ran, "runs/");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert_eq!(desk.only_run(), kept);
    let report = desk.run("report");
    assert_eq!((report.code, report.stdout), (Some(0), first.stdout));
}

#[test]
fn a_full_disk_keeps_the_tables_it_had() {
    let desk = Desk::empty();
    let Some(_disk) = SmallDisk::mount(desk.path("small")) else {
        return;
    };
    let fetch = "fetch --provider synthetic --data-dir small --tickers SPY --start 2025-11-10";
    let ran = desk.run(fetch);
    check_full(&ran, "small/");
    assert_eq!(ran.code, Some(1));
    desk.holds_no_temporary_file();
    // What is there is whole: every table can be listed.
    assert!(
        files_below(&desk.path("small"))
            .iter()
            .all(|f| f.extension().is_some() || f.ends_with(".lock"))
    );
    assert_eq!(desk.run("data ls --data-dir small").code, Some(0));
}

/// Waits until the process has taken over Ctrl-C; false when it ended before.
#[cfg(target_os = "linux")]
fn listens(child: &mut std::process::Child) -> bool {
    const SIGINT_BIT: u64 = 1 << (2 - 1);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        let path = format!("/proc/{}/status", child.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        if caught.is_some_and(|mask| mask & SIGINT_BIT != 0) {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

#[cfg(target_os = "linux")]
fn interrupted(desk: &Desk, arguments: &str) -> (Option<i32>, String) {
    let mut child = desk
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(listens(&mut child), "{arguments} listens for Ctrl-C");
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr)
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_leaves_nothing_half_written() {
    let desk = Desk::empty();
    let market = "fetch --provider synthetic --universe top:3 --start 2025-11-10 --sessions 10 \
                  --events-per-day 10000 --data-dir data";
    let (code, message) = interrupted(&desk, market);
    expect![[r#"
        error: stopped; the months already stored are whole
        hint: run the same command again to have the rest
    "#]]
    .assert_eq(&message);
    assert_eq!(code, Some(1));
    desk.holds_nothing_half_written();

    let made = desk.run(market);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let (code, message) = interrupted(&desk, RUN);
    expect![[r#"
        error: stopped; nothing was written
    "#]]
    .assert_eq(&message);
    assert_eq!(code, Some(1));
    desk.holds_nothing_half_written();
}
