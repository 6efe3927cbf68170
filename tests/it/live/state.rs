//! State: what a killed process left is gone on with, what is of another run is left alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};

use super::{assert_logged, assert_same_run, live, only_folder};
use crate::desk::Desk;

const KEPT: &str = "--state-dir state";
const FILES: [&str; 3] = ["journal.ndjson", "signals_log.csv", "paper_trades_log.csv"];

/// A desk with a finished run and its state.
fn finished() -> Desk {
    let desk = Desk::with_market();
    desk.lives(KEPT);
    desk
}

fn fails(desk: &Desk, arguments: &str, code: i32, message: &Expect) {
    let ran = desk.live(arguments);
    message.assert_eq(&ran.stderr);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(code), ""),
        "{arguments}"
    );
}

/// Fails unless the state is that of the market's backtest, every row and line whole.
fn assert_whole(desk: &Desk) {
    let expected = desk.backtest("");
    assert_same_run(&only_folder(&desk.path("runs")), &expected);
    assert_logged(&desk.path("state"), &expected);
    let journal = desk.text("state/journal.ndjson");
    assert!(journal.ends_with('\n'));
    for line in journal.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a whole line");
    }
}

#[test]
fn a_line_that_a_kill_tore_is_written_again() {
    let made = finished();
    for file in FILES {
        let whole = std::fs::read(made.path("state").join(file)).expect("a file");
        // Within the last line, right before its end, in the middle, within the first line, nothing.
        for left in [whole.len() - 1, whole.len() - 20, whole.len() / 2, 17, 0] {
            let desk = Desk::with_market();
            std::fs::create_dir(desk.path("state")).expect("a folder");
            for other in FILES {
                let bytes = std::fs::read(made.path("state").join(other)).expect("a file");
                let left = if other == file { left } else { bytes.len() };
                let target = desk.path("state").join(other);
                std::fs::write(target, &bytes[..left]).expect("it is writable");
            }
            desk.lives(KEPT);
            assert_whole(&desk);
        }
    }
}

#[test]
fn a_finished_run_started_again_says_and_writes_the_same() {
    let desk = finished();
    let before = FILES.map(|file| desk.text(&format!("state/{file}")));
    let again = desk.lives(KEPT);
    assert_eq!(again.stdout, "", "every alert was printed by the first");
    let after = FILES.map(|file| desk.text(&format!("state/{file}")));
    assert_eq!(after[1..], before[1..]);
    assert!(after[0].starts_with(&before[0]), "a journal only grows");
    assert_whole(&desk);
}

#[test]
fn the_state_of_another_run_is_left_alone() {
    let desk = finished();
    let before = FILES.map(|file| desk.text(&format!("state/{file}")));
    let other = |arguments: &str, message: Expect| {
        fails(&desk, &format!("{KEPT} {arguments}"), 1, &message);
        assert_eq!(
            FILES.map(|file| desk.text(&format!("state/{file}"))),
            before
        );
    };
    other(
        "--tickers TSLA",
        expect![[r#"
            error: state/journal.ndjson is of another run: tickers SPY,TSLA, not tickers TSLA
            hint: `--fresh` sets the old state aside and begins anew; another --state-dir keeps both
        "#]],
    );
    other(
        "--set scalp.min_strength=5",
        expect![[r#"
            error: state/journal.ndjson is of another run: config #, not config #
            hint: `--fresh` sets the old state aside and begins anew; another --state-dir keeps both
        "#]],
    );
    let shorter = live(KEPT).replace("11-21", "11-20");
    let ran = desk.run(&shorter);
    assert_eq!(ran.code, Some(1));
    expect![[r#"
        error: state/journal.ndjson is of another run: replay data 2025-11-10 to 2025-11-21, not replay data 2025-11-10 to 2025-11-20
        hint: `--fresh` sets the old state aside and begins anew; another --state-dir keeps both
    "#]].assert_eq(&ran.stderr);
}

#[test]
fn how_a_stream_is_run_may_change_between_two_starts() {
    let desk = finished();
    desk.lives(&format!(
        "{KEPT} --set live.heartbeat_seconds=5 --threads 1"
    ));
    desk.lives(&format!("{KEPT} --set routing.alerts.scalp=[console]"));
}

#[test]
fn fresh_sets_the_old_state_aside_under_the_first_free_name() {
    let desk = finished();
    let old = desk.text("state/journal.ndjson");
    let ran = desk.lives(&format!("{KEPT} --fresh --tickers TSLA"));
    assert!(
        ran.stderr.starts_with("the old state is now state.1\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(desk.text("state.1/journal.ndjson"), old);
    let ran = desk.lives(&format!("{KEPT} --fresh"));
    assert!(
        ran.stderr.starts_with("the old state is now state.2\n"),
        "{}",
        ran.stderr
    );
    assert!(desk.text("state.2/journal.ndjson").contains("[\"TSLA\"]"));
    let empty = Desk::with_market();
    empty.lives(&format!("{KEPT} --fresh"));
    assert!(
        !empty.path("state.1").exists(),
        "there was nothing to set aside"
    );
}

#[test]
fn two_processes_do_not_share_a_state() {
    let desk = Desk::with_market();
    let mut first = desk.start(&live(&format!("{KEPT} --speed 1 --metrics 0")));
    first.says("metrics at ");
    for fresh in ["", " --fresh"] {
        let ran = desk.live(&format!("{KEPT}{fresh}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        expect![[r#"
            error: state/journal.ndjson is in use by another process
            hint: one process per --state-dir: stop the other, or choose another folder
        "#]]
        .assert_eq(&ran.stderr);
    }
    first.signal("-TERM");
    assert_eq!(first.end().code(), Some(0), "{}", first.stderr());
    // What was begun at one pace may be ended at another.
    desk.lives(KEPT);
    assert_whole(&desk);
}

#[test]
fn a_folder_that_cannot_be_one_is_said_before_anything_begins() {
    let desk = Desk::with_market();
    desk.write("file", "");
    fails(
        &desk,
        "--state-dir file",
        2,
        &expect![[r#"
        error: cannot write to file: file is not a folder
        hint: choose another folder with --state-dir
    "#]],
    );
    fails(
        &desk,
        "--state-dir file/state",
        2,
        &expect![[r#"
        error: cannot write to file/state: file is not a folder
        hint: choose another folder with --state-dir
    "#]],
    );
    std::fs::create_dir_all(desk.path("state/journal.ndjson")).expect("a folder");
    fails(
        &desk,
        KEPT,
        1,
        &expect![[r#"
            error: state/journal.ndjson: Is a directory (os error 21)
        "#]],
    );
    // Nobody can write there, not even root.
    fails(
        &desk,
        "--state-dir /proc/flowlab",
        1,
        &expect![[r#"
        error: cannot write to /proc/flowlab: No such file or directory (os error 2)
        hint: choose another folder with --state-dir
    "#]],
    );
    fails(
        &desk,
        "--fresh",
        2,
        &expect![[r#"
            error: --fresh, and this source keeps no state
            hint: with --state-dir DIR it does
        "#]],
    );
}

#[test]
fn a_broken_line_is_named_and_nothing_is_lost() {
    let desk = finished();
    let journal = desk.text("state/journal.ndjson");
    // The first alert is queued before any other can be on its way: its line is always the third.
    let broken = journal.replacen("{\"queued\"", "{\"quued\"", 1);
    desk.write("state/journal.ndjson", &broken);
    fails(
        &desk,
        KEPT,
        1,
        &expect![[r#"
            error: state/journal.ndjson:3: not a line of a journal (unknown variant `quued`, expected one of `open`, `told`, `caught_up`, `channel`, `queued`, `sending`, `not_sent`, `sent`, `dead`, `finished` at line 1 column 8)
            hint: `--fresh` sets the old state aside and begins anew; another --state-dir keeps both
        "#]],
    );
    assert_eq!(desk.text("state/journal.ndjson"), broken);
}

#[test]
fn a_log_with_other_columns_is_not_appended_to() {
    let desk = finished();
    let log = desk
        .text("state/signals_log.csv")
        .replacen("signal_id", "id", 1);
    desk.write("state/signals_log.csv", &log);
    fails(
        &desk,
        KEPT,
        1,
        &expect![[r#"
            error: state/signals_log.csv: its first line does not have the columns of this version
            hint: move the file away; a new one is begun
        "#]],
    );
    assert_eq!(desk.text("state/signals_log.csv"), log);
}

/// A disk of a few kB, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, and a word about it, where mounting is not allowed.
    fn mount(path: &Path, kilobytes: usize) -> Option<SmallDisk> {
        std::fs::create_dir(path).expect("a folder");
        let size = format!("size={kilobytes}k");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(path)
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(SmallDisk(path.to_owned()));
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

#[test]
fn a_full_disk_ends_it_and_a_larger_one_takes_it_up() {
    for kilobytes in [8, 16, 28] {
        let desk = Desk::with_market();
        let Some(disk) = SmallDisk::mount(&desk.path("small"), kilobytes) else {
            return;
        };
        let ran = desk.live("--state-dir small");
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("No space left on device"),
            "{}",
            ran.stderr
        );
        assert!(
            !desk.path("runs").exists()
                || desk
                    .path("runs")
                    .read_dir()
                    .expect("a folder")
                    .next()
                    .is_none()
        );
        std::fs::create_dir(desk.path("state")).expect("a folder");
        for file in FILES {
            let kept = disk.0.join(file);
            if kept.exists() {
                std::fs::copy(kept, desk.path("state").join(file)).expect("there is room");
            }
        }
        desk.lives(KEPT);
        assert_whole(&desk);
    }
}
