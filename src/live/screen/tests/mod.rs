//! The screen as a person sees it: one small board at the sizes that matter.

mod morning;

use std::time::Duration;

use expect_test::{Expect, expect};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::{Status, Viewer, draw};
use crate::live::{Board, Gauges};
use morning::{board, busy, status};

fn painted(
    (width, height): (u16, u16),
    board: &Board,
    status: &Status,
    viewer: &mut Viewer,
) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| draw(frame, board, status, viewer))
        .unwrap();
    terminal
}

/// The lines of a frame behind its left edge, without what is blank at their ends.
fn lines(terminal: &Terminal<TestBackend>) -> String {
    // The backend prints its lines in quotes, and adds what wide characters hide.
    terminal
        .backend()
        .to_string()
        .lines()
        .map(|line| {
            let text = line.split("\" Hidden by").next().unwrap_or(line);
            let text = text.trim_start_matches('"').trim_end_matches('"');
            format!("│{}\n", text.trim_end())
        })
        .collect()
}

/// Blank lines are counted instead of shown.
fn squeezed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let runs = lines.chunk_by(|one, next| (*one == "│") == (*next == "│"));
    runs.map(|run| match run[0] {
        "│" => format!("  ({} blank)\n", run.len()),
        _ => run.join("\n") + "\n",
    })
    .collect()
}

fn check(size: (u16, u16), board: &Board, status: &Status, viewer: &mut Viewer, expected: Expect) {
    let text = lines(&painted(size, board, status, viewer));
    expected.assert_eq(&squeezed(&text));
}

fn press(viewer: &mut Viewer, keys: &[KeyCode]) {
    for code in keys {
        viewer.press(KeyEvent::new(*code, KeyModifiers::NONE), 12_000);
    }
}

#[test]
fn at_80_by_24_everything_useful_is_there() {
    let gauges = busy();
    let mut viewer = Viewer::default();
    viewer.pace.look(Duration::ZERO, 0);
    viewer.pace.look(Duration::from_secs(30), 900);
    check(
        (80, 24),
        &board(),
        &status(&gauges),
        &mut viewer,
        expect![[r#"
            │ flowlab live  massive, 42 tickers         10:32:06 ET  options up  stocks stale
            │ TAPE     ticker contract         size    price notional side sweep aggr    spot
            │ 10:32:06 電気V… 17.5P 03-21        40    @0.05     $200 SELL       AGGR       –
            │ 10:32:05 SPXW   5812.5P Dec'26   120K @1204.50   $14.5B ?               5842.11
            │ 10:32:04 TSLA   245C 02-21      1,250    @3.20    $400K BUY  SWEEP AGGR  241.37
              (3 blank)
            │ SIGNALS  kind        ticker contract   strength notional tags
            │ 10:32:04 DAY_TRADE ▼ TSLA   245C 02-21     10.0    $400K SIZE|SWEEP|AGGRESSIVE…
            │ 10:32:04 SCALP     ▲ TSLA   245C 02-21      7.5    $400K SIZE|SWEEP|AGGRESSIVE
              (3 blank)
            │ POSITIONS   ticker contract       since   entry    mark     p&l     tp/sl %
            │ SWING     ▼ TSLA   245C 02-21     02-19  241.37  248.85   -3.1%      +15/-5
            │ DAY_TRADE ▲ TSLA   245C 02-21     10:32  241.37  270.94  +12.2%      +15/-5
              (2 blank)
            │ STREAM   events 12,345   per min 1,800  last 0.4s ago  lag 1.2ms  queue 17
            │ SIGNALS  SCALP 3     DAY_TRADE 0     SWING 1     open 2    closed 7
            │ FAULTS   drops 2  reconnects 1  gaps open 0  closed 1  late 5  clock -2.0s
            │ ALERTS   sent 4     waiting 1    dead 0  last 1m ago
            │ q quit  p pause  ? keys
        "#]],
    );
}

#[test]
fn at_200_by_50_the_tape_stands_beside_what_came_of_it() {
    let gauges = busy();
    check(
        (200, 50),
        &board(),
        &status(&gauges),
        &mut Viewer::default(),
        expect![[r#"
            │ flowlab live  massive, 42 tickers                                                                                                    running for 2.1h  2025-02-20 10:32:06 ET  options up  stocks stale
            │ TAPE     ticker contract         size    price notional side sweep aggr    spot  SIGNALS  kind        ticker contract   strength notional tags
            │ 10:32:06 電気V… 17.5P 03-21        40    @0.05     $200 SELL       AGGR       –  10:32:04 DAY_TRADE ▼ TSLA   245C 02-21     10.0    $400K SIZE|SWEEP|AGGRESSIVE|VOL>OI|TREND_CONFIRMED
            │ 10:32:05 SPXW   5812.5P Dec'26   120K @1204.50   $14.5B ?               5842.11  10:32:04 SCALP     ▲ TSLA   245C 02-21      7.5    $400K SIZE|SWEEP|AGGRESSIVE
            │ 10:32:04 TSLA   245C 02-21      1,250    @3.20    $400K BUY  SWEEP AGGR  241.37
              (19 blank)
            │                                                                                  POSITIONS   ticker contract       since   entry    mark     p&l     tp/sl % sl to tp
            │                                                                                  SWING     ▼ TSLA   245C 02-21     02-19  241.37  248.85   -3.1%      +15/-5 ───●━━━┼──────────────────────
            │                                                                                  DAY_TRADE ▲ TSLA   245C 02-21     10:32  241.37  270.94  +12.2%      +15/-5 ───────┼━━━━━━━━━━━━━━━━━●────
              (20 blank)
            │ STREAM   events 12,345   per min –      last 0.4s ago  lag 1.2ms  queue 17   prints 1,234,567       SIGNALS  SCALP 3     DAY_TRADE 0     SWING 1     open 2    closed 7
            │ FAULTS   drops 2  reconnects 1  gaps open 0  closed 1  late 5  clock -2.0s                          ALERTS   sent 4     waiting 1    dead 0  last 1m ago
            │ q quit  p pause  ? keys
        "#]],
    );
}

#[test]
fn before_the_first_event_each_pane_says_what_it_waits_for() {
    let gauges = Gauges::default();
    let waiting = Status {
        stream_ts: None,
        ..status(&gauges)
    };
    check(
        (80, 24),
        &Board::default(),
        &waiting,
        &mut Viewer::default(),
        expect![[r#"
            │ flowlab live  massive, 42 tickers                     options down  stocks down
            │ TAPE     ticker contract         size    price notional side sweep aggr    spot
            │ waiting for the options feed to come up
              (5 blank)
            │ SIGNALS  kind        ticker contract   strength notional tags
            │ waiting for an event that passes every gate of a strategy
              (4 blank)
            │ POSITIONS   ticker contract       since   entry    mark     p&l     tp/sl %
            │ waiting for a signal to trade
              (3 blank)
            │ STREAM   events 0        per min –      last –         lag –      queue 0
            │ SIGNALS  SCALP 0     DAY_TRADE 0     SWING 0     open 0    closed 0
            │ FAULTS   drops 0  reconnects 0  gaps open 0  closed 0
            │ ALERTS   sent 0     waiting 0    dead 0
            │ q quit  p pause  ? keys
        "#]],
    );
}

#[test]
fn a_screen_that_is_too_small_says_so() {
    let gauges = busy();
    let mut viewer = Viewer::default();
    check(
        (60, 15),
        &board(),
        &status(&gauges),
        &mut viewer,
        expect![[r#"
            │needs 64x18, has 60x15; q quits
              (14 blank)
        "#]],
    );
}

#[test]
fn no_size_makes_it_fail() {
    let gauges = busy();
    let board = board();
    for width in [1, 2, 9, 63, 64, 65, 79, 81, 99, 110, 159, 160, 161, 300] {
        for height in [1, 2, 17, 18, 19, 23, 70] {
            painted(
                (width, height),
                &board,
                &status(&gauges),
                &mut Viewer::default(),
            );
        }
    }
}

#[test]
fn narrow_screens_drop_the_bar_first_and_never_the_contract() {
    let gauges = busy();
    let text = lines(&painted(
        (64, 18),
        &board(),
        &status(&gauges),
        &mut Viewer::default(),
    ));
    let headings: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("ticker"))
        .collect();
    expect![[r#"
        │ TAPE     ticker contract         size    price notional side
        │ SIGNALS  kind        ticker contract   strength notional tags
        │ POSITIONS   ticker contract         entry    mark     p&l"#]]
    .assert_eq(&headings.join("\n"));
}

#[test]
fn paused_and_scrolled_says_so_and_a_finished_replay_has_no_feeds() {
    let gauges = busy();
    let replay = Status {
        source: "replay data/sample 2025-02-20, 60x".into(),
        feeds: &[],
        is_finished: true,
        notice: Some("a gap from 10:02:11 to 10:02:45 stays open".into()),
        ..status(&gauges)
    };
    let mut board = board();
    for _ in 0..6 {
        board.show_event(board.tape[0].clone());
    }
    let mut viewer = Viewer::default();
    painted((80, 24), &board, &replay, &mut viewer);
    press(&mut viewer, &[KeyCode::Char('p'), KeyCode::Down]);
    let text = lines(&painted((80, 24), &board, &replay, &mut viewer));
    let ends: Vec<&str> = text.lines().step_by(23).collect();
    expect![[r#"
        │ flowlab live  replay data/sample 202…  paused, 345 since  10:32:06 ET  finished
        │ a gap from 10:02:11 to 10:02:45 stays open                        tape 2–7 of 9"#]]
    .assert_eq(&ends.join("\n"));

    press(&mut viewer, &[KeyCode::Char('?')]);
    let text = lines(&painted((80, 24), &board, &replay, &mut viewer));
    expect!["│ q quit  p pause  Tab next pane  ↑↓ PgUp PgDn Home End scroll  ? fewer"]
        .assert_eq(text.lines().last().unwrap());
}

#[test]
fn without_colours_no_cell_has_one() {
    let gauges = busy();
    let mut status = status(&gauges);
    let coloured = |status: &Status| {
        let terminal = painted((200, 50), &board(), status, &mut Viewer::default());
        let cells = terminal.backend().buffer().content();
        cells
            .iter()
            .any(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset))
    };
    assert!(coloured(&status));
    status.is_coloured = false;
    assert!(!coloured(&status));
}
