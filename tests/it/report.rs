//! The report as people and machines read it, on a run small enough to check by hand.
//!
//! ```text
//!                          net %   stop   R       held
//! SPY   SCALP      TP      +1.98   1     +1.98    24 min
//! SPY   SCALP      SL      −1.02   1     −1.02     6 min   touched both barriers
//! TSLA  SCALP      TIMEOUT +0.08   1     +0.08    30 min   a timeout that wins
//! TSLA  DAY_TRADE  EOD      0.00   2      0.00     3 h     breaks even after costs
//! TSLA  DAY_TRADE  TP      +4.98   2     +2.49     5 h
//! SPY   SWING      SL      −5.02   5     −1.004    3.2 d
//! SPY   SWING      OPEN    +1.48   5               marked, in no other figure
//! ```

use std::collections::BTreeMap;

use expect_test::{Expect, expect, expect_file};
use flowlab::paper::Outcome;
use flowlab::report::{
    Cell, Column, Dimension, FillPolicy, Format, Header, ReportTrade, Run, Table, TerminalStyle,
    parse_crossing, render, render_styled, tables,
};
use flowlab::strategies::{Direction, Kind};
use flowlab::time::Ts;

fn trade(
    ticker: &str,
    kind: Kind,
    outcome: Outcome,
    pnl_pct_net: f64,
    held_minutes: i64,
) -> ReportTrade {
    let opened_at = Ts::parse_rfc3339("2025-03-10T14:00:00Z").unwrap();
    ReportTrade {
        ticker: ticker.to_owned(),
        kind,
        direction: Direction::Bullish,
        outcome,
        opened_at,
        closed_at: (outcome != Outcome::Open).then(|| opened_at.plus_minutes(held_minutes)),
        pnl_pct_gross: pnl_pct_net + 0.02,
        pnl_pct_net,
        best_case_pnl_pct: pnl_pct_net,
        sl_pct: match kind {
            Kind::Scalp => 1.0,
            Kind::DayTrade => 2.0,
            Kind::Swing => 5.0,
        },
        mfe_pct: pnl_pct_net.max(0.5),
        mae_pct: pnl_pct_net.min(-0.5),
        ambiguous: false,
        strength: 8.0,
        tags: ["SIZE", "SWEEP"].map(str::to_owned).to_vec(),
        dte: 1,
        hour: 10,
        regime_trend: "UP".to_owned(),
        regime_volatility: "HIGH".to_owned(),
    }
}

fn run() -> Run {
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let mut trades = vec![
        trade("SPY", Kind::Scalp, Outcome::Tp, 1.98, 24),
        trade("SPY", Kind::Scalp, Outcome::Sl, -1.02, 6),
        trade("TSLA", Kind::Scalp, Outcome::Timeout, 0.08, 30),
        trade("TSLA", Kind::DayTrade, Outcome::Eod, 0.0, 180),
        trade("TSLA", Kind::DayTrade, Outcome::Tp, 4.98, 300),
        trade("SPY", Kind::Swing, Outcome::Sl, -5.02, 4608),
        trade("SPY", Kind::Swing, Outcome::Open, 1.48, 0),
    ];
    (trades[1].ambiguous, trades[1].best_case_pnl_pct) = (true, 1.98);
    trades[2].regime_trend = "DOWN".to_owned();
    trades[2].direction = Direction::Bearish;
    trades[3].dte = 10;
    trades[3].tags = tags(&["SIZE", "LEVEL_BREAK", "BREAKOUT"]);
    trades[4].strength = 10.0;
    trades[4].hour = 9;
    trades[5].dte = 45;
    trades[5].tags = tags(&["SIZE", "PERSISTENT_BUYER"]);
    let counts = [
        ("events_read", 12_345),
        ("signals.SWING", 2),
        ("signals.SCALP", 3),
        ("signals.DAY_TRADE", 2),
        ("rejected.rvol", 18),
        ("rejected.dte", 9_000),
        ("no_entry", 1),
        ("missing_context.trend_daily", 4),
    ];
    Run {
        header: Header {
            experiment_id: "baseline".to_owned(),
            run: "baseline-3f9a".to_owned(),
            start: "2025-03-10".parse().unwrap(),
            end: "2025-03-14".parse().unwrap(),
            tickers: 2,
            fill_policy: FillPolicy {
                entry: "next_bar_open".to_owned(),
                intrabar: "worst".to_owned(),
                flat_at_close: true,
                slippage_bps: 1.0,
                commission_per_contract: 0.65,
            },
            notes: vec!["2025-03-12 is missing for TSLA.".to_owned()],
        },
        trades,
        counts: BTreeMap::from(counts.map(|(name, n)| (name.to_owned(), n))),
    }
}

fn check(by: &[&str], format: Format, expected: Expect) {
    let by: Vec<Vec<Dimension>> = by
        .iter()
        .map(|text| parse_crossing(text).unwrap())
        .collect();
    expected.assert_eq(&render(&tables(&run(), &by), format));
}

fn check_at_80(by: &str, expected: Expect) {
    let style = TerminalStyle {
        width: Some(80),
        ..TerminalStyle::default()
    };
    let text = render_styled(
        &tables(&run(), &[parse_crossing(by).unwrap()]),
        Format::Table,
        style,
    );
    let too_long = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_long, None);
    expected.assert_eq(&text);
}

#[test]
fn a_terminal_shows_policy_totals_breakdown_open_trades_and_counts() {
    check(
        &["kind"],
        Format::Table,
        expect![[r#"
            run     baseline-3f9a, experiment baseline
            period  2025-03-10 to 2025-03-14, 2 tickers
            fills   entry next_bar_open, intrabar worst, scalp and day trade flat at the close
            costs   1 bp slippage per side; 0.65 $ per contract and side, in option P&L only
            P&L     of the underlying, not of the option: net of slippage, in % of the entry price

            All closed trades
            ┌────────┬───────┬───────┬───────┬───────┬───────┬────────┬──────┬──────┬───────┬───────┬─────┐
            │ wins/n ┆ win % ┆  95 % ┆ b/e % ┆ exp % ┆ exp R ┆ payoff ┆   PF ┆ hold ┆ MFE % ┆ MAE % ┆ amb │
            ╞════════╪═══════╪═══════╪═══════╪═══════╪═══════╪════════╪══════╪══════╪═══════╪═══════╪═════╡
            │    3/6 ┆  50.0 ┆ 19–81 ┆  56.3 ┆ +0.17 ┆ +0.42 ┆   0.78 ┆ 1.17 ┆  14h ┆  1.49 ┆ -1.34 ┆   1 │
            └────────┴───────┴───────┴───────┴───────┴───────┴────────┴──────┴──────┴───────┴───────┴─────┘
            2025-03-12 is missing for TSLA.
            Caution: only 6 closed trades. With fewer than 30, luck explains almost any result.
            Of 6 closed trades, 1 (16.7 %) ended on a bar that touched both barriers. Had every such bar gone the trade's way, exp would be +0.67 %.
            The interval takes trades as independent. Trades that overlap in time share their luck, so the true interval is wider.
            win % is wins ÷ closed trades, 95 % its Wilson interval, b/e % the win rate this payoff needs to make nothing. exp is the mean net P&L of a trade, in % and in R (stop distances). PF is the profit factor; amb counts trades that ended on a bar that touched both barriers.

            By kind
            ┌───────────┬────────┬───────┬───────┬───────┬───────┬───────┬────────┬───────────┬──────┬───────┬───────┬─────┐
            │ kind      ┆ wins/n ┆ win % ┆  95 % ┆ b/e % ┆ exp % ┆ exp R ┆ payoff ┆        PF ┆ hold ┆ MFE % ┆ MAE % ┆ amb │
            ╞═══════════╪════════╪═══════╪═══════╪═══════╪═══════╪═══════╪════════╪═══════════╪══════╪═══════╪═══════╪═════╡
            │ SCALP     ┆    2/3 ┆  66.7 ┆ 21–94 ┆  49.8 ┆ +0.35 ┆ +0.35 ┆   1.01 ┆      2.02 ┆  20m ┆  0.99 ┆ -0.67 ┆   1 │
            │ DAY_TRADE ┆    1/2 ┆  50.0 ┆  9–91 ┆     – ┆ +2.49 ┆ +1.25 ┆      – ┆ no losses ┆ 4.0h ┆  2.74 ┆ -0.50 ┆   0 │
            │ SWING     ┆    0/1 ┆   0.0 ┆  0–79 ┆     – ┆ -5.02 ┆ -1.00 ┆      – ┆      0.00 ┆ 3.2d ┆  0.50 ┆ -5.02 ┆   0 │
            │ Total     ┆    3/6 ┆  50.0 ┆ 19–81 ┆  56.3 ┆ +0.17 ┆ +0.42 ┆   0.78 ┆      1.17 ┆  14h ┆  1.49 ┆ -1.34 ┆   1 │
            └───────────┴────────┴───────┴───────┴───────┴───────┴───────┴────────┴───────────┴──────┴───────┴───────┴─────┘
            Caution: fewer than 30 closed trades in every row. Luck explains almost any result there.

            Open trades
            ┌───────┬──────┬──────────┐
            │ kind  ┆ open ┆ marked % │
            ╞═══════╪══════╪══════════╡
            │ SWING ┆    1 ┆    +1.48 │
            │ Total ┆    1 ┆    +1.48 │
            └───────┴──────┴──────────┘
            Marked to the last close, net; in no other figure of this report.

            Counts of the run
            ┌─────────────────┬─────────────┬────────┬───────┬───────────┬───────┐
            │ count           ┆ of          ┆ events ┆ SCALP ┆ DAY_TRADE ┆ SWING │
            ╞═════════════════╪═════════════╪════════╪═══════╪═══════════╪═══════╡
            │ events_read     ┆             ┆ 12,345 ┆       ┆           ┆       │
            │ rejected        ┆ dte         ┆  9,000 ┆       ┆           ┆       │
            │ rejected        ┆ rvol        ┆     18 ┆       ┆           ┆       │
            │ signals         ┆             ┆        ┆     3 ┆         2 ┆     2 │
            │ no_entry        ┆             ┆      1 ┆       ┆           ┆       │
            │ missing_context ┆ trend_daily ┆      4 ┆       ┆           ┆       │
            └─────────────────┴─────────────┴────────┴───────┴───────────┴───────┘
            Every event read is counted once before the modes, and as a candidate once by each mode: as a signal or at the first gate that rejected it. Zeros are left out.
        "#]],
    );
}

#[test]
fn at_80_columns_text_gives_way_and_numbers_stay_whole() {
    check_at_80(
        "tag",
        expect![[r#"
            run     baseline-3f9a, experiment baseline
            period  2025-03-10 to 2025-03-14, 2 tickers
            fills   entry next_bar_open, intrabar worst, scalp and day trade flat at the
                    close
            costs   1 bp slippage per side; 0.65 $ per contract and side, in option P&L only
            P&L     of the underlying, not of the option: net of slippage, in % of the entry
                    price

            All closed trades
            wins/n  win    95  b/e   exp   exp payoff   PF hold  MFE   MAE amb
                      %     %    %     %     R                     %     %
            ──────────────────────────────────────────────────────────────────
               3/6 50.0 19–81 56.3 +0.17 +0.42   0.78 1.17  14h 1.49 -1.34   1
            2025-03-12 is missing for TSLA.
            Caution: only 6 closed trades. With fewer than 30, luck explains almost any
              result.
            Of 6 closed trades, 1 (16.7 %) ended on a bar that touched both barriers. Had
              every such bar gone the trade's way, exp would be +0.67 %.
            The interval takes trades as independent. Trades that overlap in time share
              their luck, so the true interval is wider.
            win % is wins ÷ closed trades, 95 % its Wilson interval, b/e % the win rate this
              payoff needs to make nothing. exp is the mean net P&L of a trade, in % and in
              R (stop distances). PF is the profit factor; amb counts trades that ended on a
              bar that touched both barriers.

            By tag
            tag              wins/n  win    95  b/e   exp   exp payoff     PF hold amb
                                       %     %    %     %     R
            ──────────────────────────────────────────────────────────────────────────
            SIZE                3/6 50.0 19–81 56.3 +0.17 +0.42   0.78   1.17  14h   1
            SWEEP               3/4 75.0 30–95 30.3 +1.51 +0.88   2.30   6.90 1.5h   1
            LEVEL_BREAK         0/1  0.0  0–79    –  0.00  0.00      –     no 3.0h   0
                                                                       losses
            BREAKOUT            0/1  0.0  0–79    –  0.00  0.00      –     no 3.0h   0
                                                                       losses
            PERSISTENT_BUYER    0/1  0.0  0–79    – -5.02 -1.00      –   0.00 3.2d   0
            Total               3/6 50.0 19–81 56.3 +0.17 +0.42   0.78   1.17  14h   1
            Too narrow to show MFE %, MAE %.
            A trade is in the row of each of its tags, so rows add up to more than the
              total.
            Caution: fewer than 30 closed trades in every row. Luck explains almost any
              result there.

            Open trades
            ┌───────┬──────┬──────────┐
            │ kind  ┆ open ┆ marked % │
            ╞═══════╪══════╪══════════╡
            │ SWING ┆    1 ┆    +1.48 │
            │ Total ┆    1 ┆    +1.48 │
            └───────┴──────┴──────────┘
            Marked to the last close, net; in no other figure of this report.

            Counts of the run
            ┌─────────────────┬─────────────┬────────┬───────┬───────────┬───────┐
            │ count           ┆ of          ┆ events ┆ SCALP ┆ DAY_TRADE ┆ SWING │
            ╞═════════════════╪═════════════╪════════╪═══════╪═══════════╪═══════╡
            │ events_read     ┆             ┆ 12,345 ┆       ┆           ┆       │
            │ rejected        ┆ dte         ┆  9,000 ┆       ┆           ┆       │
            │ rejected        ┆ rvol        ┆     18 ┆       ┆           ┆       │
            │ signals         ┆             ┆        ┆     3 ┆         2 ┆     2 │
            │ no_entry        ┆             ┆      1 ┆       ┆           ┆       │
            │ missing_context ┆ trend_daily ┆      4 ┆       ┆           ┆       │
            └─────────────────┴─────────────┴────────┴───────┴───────────┴───────┘
            Every event read is counted once before the modes, and as a candidate once by
              each mode: as a signal or at the first gate that rejected it. Zeros are left
              out.
        "#]],
    );
}

#[test]
fn at_80_columns_a_crossing_still_fits() {
    check_at_80(
        "kind,regime",
        expect![[r#"
            run     baseline-3f9a, experiment baseline
            period  2025-03-10 to 2025-03-14, 2 tickers
            fills   entry next_bar_open, intrabar worst, scalp and day trade flat at the
                    close
            costs   1 bp slippage per side; 0.65 $ per contract and side, in option P&L only
            P&L     of the underlying, not of the option: net of slippage, in % of the entry
                    price

            All closed trades
            wins/n  win    95  b/e   exp   exp payoff   PF hold  MFE   MAE amb
                      %     %    %     %     R                     %     %
            ──────────────────────────────────────────────────────────────────
               3/6 50.0 19–81 56.3 +0.17 +0.42   0.78 1.17  14h 1.49 -1.34   1
            2025-03-12 is missing for TSLA.
            Caution: only 6 closed trades. With fewer than 30, luck explains almost any
              result.
            Of 6 closed trades, 1 (16.7 %) ended on a bar that touched both barriers. Had
              every such bar gone the trade's way, exp would be +0.67 %.
            The interval takes trades as independent. Trades that overlap in time share
              their luck, so the true interval is wider.
            win % is wins ÷ closed trades, 95 % its Wilson interval, b/e % the win rate this
              payoff needs to make nothing. exp is the mean net P&L of a trade, in % and in
              R (stop distances). PF is the profit factor; amb counts trades that ended on a
              bar that touched both barriers.

            By kind × regime (trend/volatility)
            kind      regime    wins/n   win     95  b/e   exp   exp payoff     PF hold amb
                                           %      %    %     %     R
            ───────────────────────────────────────────────────────────────────────────────
            SCALP     UP/HIGH      1/2  50.0   9–91 34.0 +0.48 +0.48   1.94   1.94  15m   1
            SCALP     DOWN/HIGH    1/1 100.0 21–100    – +0.08 +0.08      –     no  30m   0
                                                                            losses
            DAY_TRADE UP/HIGH      1/2  50.0   9–91    – +2.49 +1.25      –     no 4.0h   0
                                                                            losses
            SWING     UP/HIGH      0/1   0.0   0–79    – -5.02 -1.00      –   0.00 3.2d   0
            Total                  3/6  50.0  19–81 56.3 +0.17 +0.42   0.78   1.17  14h   1
            Too narrow to show MFE %, MAE %.
            Caution: fewer than 30 closed trades in every row. Luck explains almost any
              result there.

            Open trades
            ┌───────┬──────┬──────────┐
            │ kind  ┆ open ┆ marked % │
            ╞═══════╪══════╪══════════╡
            │ SWING ┆    1 ┆    +1.48 │
            │ Total ┆    1 ┆    +1.48 │
            └───────┴──────┴──────────┘
            Marked to the last close, net; in no other figure of this report.

            Counts of the run
            ┌─────────────────┬─────────────┬────────┬───────┬───────────┬───────┐
            │ count           ┆ of          ┆ events ┆ SCALP ┆ DAY_TRADE ┆ SWING │
            ╞═════════════════╪═════════════╪════════╪═══════╪═══════════╪═══════╡
            │ events_read     ┆             ┆ 12,345 ┆       ┆           ┆       │
            │ rejected        ┆ dte         ┆  9,000 ┆       ┆           ┆       │
            │ rejected        ┆ rvol        ┆     18 ┆       ┆           ┆       │
            │ signals         ┆             ┆        ┆     3 ┆         2 ┆     2 │
            │ no_entry        ┆             ┆      1 ┆       ┆           ┆       │
            │ missing_context ┆ trend_daily ┆      4 ┆       ┆           ┆       │
            └─────────────────┴─────────────┴────────┴───────┴───────────┴───────┘
            Every event read is counted once before the modes, and as a candidate once by
              each mode: as a signal or at the first gate that rejected it. Zeros are left
              out.
        "#]],
    );
}

#[test]
fn csv_is_one_tidy_table_with_full_names_and_empty_for_undefined() {
    check(
        &["kind", "kind,direction"],
        Format::Csv,
        expect![[r#"
            table,kind,direction,count,reason,n,wins,losses,win_rate_pct,win_rate_low_pct,win_rate_high_pct,break_even_win_rate_pct,expectancy_pct,expectancy_r,payoff,profit_factor,avg_hold_seconds,mfe_pct,mae_pct,ambiguous,best_case_expectancy_pct,marked_pnl_pct,scalp,day_trade,swing,run,experiment_id,start,end,tickers,entry,intrabar,flat_at_close,slippage_bps,commission_per_contract,pnl_basis
            totals,,,,,6,3,2,50,18.76163064826506,81.23836935173495,56.27329192546583,0.16666666666666682,0.42100000000000004,0.7770419426048568,1.1655629139072852,51480,1.4933333333333334,-1.3399999999999999,1,0.6666666666666666,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            kind,SCALP,,,,3,2,1,66.66666666666667,20.76596008020477,93.85080552796038,49.75609756097561,0.3466666666666667,0.3466666666666667,1.0098039215686274,2.019607843137255,1200,0.9933333333333333,-0.6733333333333333,1,1.3466666666666667,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            kind,DAY_TRADE,,,,2,1,0,50,9.453120573423075,90.54687942657694,,2.49,1.245,,,14400,2.74,-0.5,0,2.49,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            kind,SWING,,,,1,0,1,0,0,79.34506856227625,,-5.02,-1.004,,0,276480,0.5,-5.02,0,-5.02,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            "kind,direction",SCALP,BULLISH,,,2,1,1,50,9.453120573423075,90.54687942657694,34,0.48,0.48,1.9411764705882353,1.9411764705882353,900,1.24,-0.76,1,1.98,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            "kind,direction",SCALP,BEARISH,,,1,1,0,100,20.654931437723747,100,,0.08,0.08,,,1800,0.5,-0.5,0,0.08,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            "kind,direction",DAY_TRADE,BULLISH,,,2,1,0,50,9.453120573423075,90.54687942657694,,2.49,1.245,,,14400,2.74,-0.5,0,2.49,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            "kind,direction",SWING,BULLISH,,,1,0,1,0,0,79.34506856227625,,-5.02,-1.004,,0,276480,0.5,-5.02,0,-5.02,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            open,SWING,,,,1,,,,,,,,,,,,,,,,1.48,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            counts,,,events_read,,12345,,,,,,,,,,,,,,,,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            counts,,,rejected,dte,9000,,,,,,,,,,,,,,,,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            counts,,,rejected,rvol,18,,,,,,,,,,,,,,,,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            counts,,,signals,,,,,,,,,,,,,,,,,,,3,2,2,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            counts,,,no_entry,,1,,,,,,,,,,,,,,,,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
            counts,,,missing_context,trend_daily,4,,,,,,,,,,,,,,,,,,,,baseline-3f9a,baseline,2025-03-10,2025-03-14,2,next_bar_open,worst,true,1,0.65,underlying
        "#]],
    );
}

#[test]
fn json_has_rows_as_objects_and_the_total_apart() {
    let json = render(&tables(&run(), &[vec![Dimension::Outcome]]), Format::Json);
    expect_file!["report/outcome.json"].assert_eq(&json);
}

#[test]
fn markdown_is_a_table_on_github() {
    check(
        &["ticker"],
        Format::Md,
        expect![[r#"
            - run: baseline-3f9a, experiment baseline
            - period: 2025-03-10 to 2025-03-14, 2 tickers
            - fills: entry next_bar_open, intrabar worst, scalp and day trade flat at the close
            - costs: 1 bp slippage per side; 0.65 $ per contract and side, in option P&L only
            - P&L: of the underlying, not of the option: net of slippage, in % of the entry price

            ### All closed trades

            | wins/n | win % |  95 % | b/e % | exp % | exp R | payoff |   PF | hold | MFE % | MAE % | amb |
            | -----: | ----: | ----: | ----: | ----: | ----: | -----: | ---: | ---: | ----: | ----: | --: |
            |    3/6 |  50.0 | 19–81 |  56.3 | +0.17 | +0.42 |   0.78 | 1.17 |  14h |  1.49 | -1.34 |   1 |

            - 2025-03-12 is missing for TSLA.
            - Caution: only 6 closed trades. With fewer than 30, luck explains almost any result.
            - Of 6 closed trades, 1 (16.7 %) ended on a bar that touched both barriers. Had every such bar gone the trade's way, exp would be +0.67 %.
            - The interval takes trades as independent. Trades that overlap in time share their luck, so the true interval is wider.
            - win % is wins ÷ closed trades, 95 % its Wilson interval, b/e % the win rate this payoff needs to make nothing. exp is the mean net P&L of a trade, in % and in R (stop distances). PF is the profit factor; amb counts trades that ended on a bar that touched both barriers.

            ### By ticker

            | ticker    | wins/n | win % |  95 % | b/e % | exp % | exp R | payoff |        PF | hold | MFE % | MAE % | amb |
            | --------- | -----: | ----: | ----: | ----: | ----: | ----: | -----: | --------: | ---: | ----: | ----: | --: |
            | SPY       |    1/3 |  33.3 |  6–79 |  60.4 | -1.35 | -0.01 |   0.66 |      0.33 | 1.1d |  0.99 | -2.18 |   1 |
            | TSLA      |    2/3 |  66.7 | 21–94 |     – | +1.69 | +0.86 |      – | no losses | 2.8h |  1.99 | -0.50 |   0 |
            | **Total** |    3/6 |  50.0 | 19–81 |  56.3 | +0.17 | +0.42 |   0.78 |      1.17 |  14h |  1.49 | -1.34 |   1 |

            - Caution: fewer than 30 closed trades in every row. Luck explains almost any result there.

            ### Open trades

            | kind      | open | marked % |
            | --------- | ---: | -------: |
            | SWING     |    1 |    +1.48 |
            | **Total** |    1 |    +1.48 |

            - Marked to the last close, net; in no other figure of this report.

            ### Counts of the run

            | count           | of          | events | SCALP | DAY_TRADE | SWING |
            | --------------- | ----------- | -----: | ----: | --------: | ----: |
            | events_read     |             | 12,345 |       |           |       |
            | rejected        | dte         |  9,000 |       |           |       |
            | rejected        | rvol        |     18 |       |           |       |
            | signals         |             |        |     3 |         2 |     2 |
            | no_entry        |             |      1 |       |           |       |
            | missing_context | trend_daily |      4 |       |           |       |

            - Every event read is counted once before the modes, and as a candidate once by each mode: as a signal or at the first gate that rejected it. Zeros are left out.
        "#]],
    );
}

#[test]
fn by_default_every_dimension_has_its_table() {
    let names: Vec<String> = tables(&run(), &[])
        .into_iter()
        .filter_map(|table| table.name)
        .collect();
    expect!["totals kind ticker tag direction strength dte hour regime outcome open counts"]
        .assert_eq(&names.join(" "));
}

#[test]
fn rows_come_in_the_natural_order_of_their_dimension() {
    let text = |by: &str| render(&tables(&run(), &[parse_crossing(by).unwrap()]), Format::Csv);
    let labels = |by: &str| -> String {
        let (text, prefix) = (text(by), format!("{by},"));
        text.lines()
            .filter_map(|line| line.strip_prefix(&prefix)?.split(',').next())
            .collect::<Vec<_>>()
            .join(" ")
    };
    expect!["1-2 8-14 31-60"].assert_eq(&labels("dte"));
    expect!["8-9 9-10"].assert_eq(&labels("strength"));
    expect!["09 10"].assert_eq(&labels("hour"));
    expect!["UP/HIGH DOWN/HIGH"].assert_eq(&labels("regime"));
    expect!["SIZE SWEEP LEVEL_BREAK BREAKOUT PERSISTENT_BUYER"].assert_eq(&labels("tag"));
}

#[test]
fn an_open_trade_changes_no_figure_of_the_closed_ones() {
    let with_open = run();
    let mut without = with_open.clone();
    without
        .trades
        .retain(|trade| trade.outcome != Outcome::Open);
    let closed_tables = |run: &Run| -> Vec<_> {
        tables(run, &[])
            .into_iter()
            .filter(|table| table.name.as_deref() != Some("open"))
            .collect()
    };
    assert_eq!(closed_tables(&with_open), closed_tables(&without));
    assert_eq!(
        tables(&with_open, &[]).len(),
        tables(&without, &[]).len() + 1
    );
}

#[test]
fn a_run_without_closed_trades_says_so_and_shows_no_zeros() {
    let mut run = run();
    run.trades.retain(|trade| trade.outcome == Outcome::Open);
    run.counts.clear();
    let text = render(&tables(&run, &[]), Format::Table);
    expect![[r#"
        run     baseline-3f9a, experiment baseline
        period  2025-03-10 to 2025-03-14, 2 tickers
        fills   entry next_bar_open, intrabar worst, scalp and day trade flat at the close
        costs   1 bp slippage per side; 0.65 $ per contract and side, in option P&L only
        P&L     of the underlying, not of the option: net of slippage, in % of the entry price

        All closed trades
        ┌────────┬───────┬──────┬───────┬───────┬───────┬────────┬────┬──────┬───────┬───────┬─────┐
        │ wins/n ┆ win % ┆ 95 % ┆ b/e % ┆ exp % ┆ exp R ┆ payoff ┆ PF ┆ hold ┆ MFE % ┆ MAE % ┆ amb │
        ╞════════╪═══════╪══════╪═══════╪═══════╪═══════╪════════╪════╪══════╪═══════╪═══════╪═════╡
        │    0/0 ┆     – ┆    – ┆     – ┆     – ┆     – ┆      – ┆  – ┆    – ┆     – ┆     – ┆   0 │
        └────────┴───────┴──────┴───────┴───────┴───────┴────────┴────┴──────┴───────┴───────┴─────┘
        2025-03-12 is missing for TSLA.
        No trade was closed, so there is nothing to measure.

        Open trades
        ┌───────┬──────┬──────────┐
        │ kind  ┆ open ┆ marked % │
        ╞═══════╪══════╪══════════╡
        │ SWING ┆    1 ┆    +1.48 │
        │ Total ┆    1 ┆    +1.48 │
        └───────┴──────┴──────────┘
        Marked to the last close, net; in no other figure of this report.
    "#]]
    .assert_eq(&text);
}

#[test]
fn colour_is_there_only_when_asked_for() {
    let tables = tables(&run(), &[]);
    let style = TerminalStyle {
        color: true,
        width: None,
    };
    assert!(render_styled(&tables, Format::Table, style).contains('\u{1b}'));
    for format in [Format::Table, Format::Csv, Format::Json, Format::Md] {
        assert!(!render(&tables, format).contains('\u{1b}'), "{format:?}");
    }
}

#[test]
fn a_misspelt_dimension_is_named_with_the_nearest_and_the_valid_ones() {
    let error = |text: &str| parse_crossing(text).unwrap_err().to_string();
    expect![[r#""regim" is not a dimension (did you mean regime?), expected kind, ticker, tag, direction, strength, dte, hour, regime, outcome, or several with commas between"#]].assert_eq(&error("kind,regim"));
    expect![[r#""xyz" is not a dimension, expected kind, ticker, tag, direction, strength, dte, hour, regime, outcome, or several with commas between"#]].assert_eq(&error("xyz"));
    expect!["kind is crossed with itself"].assert_eq(&error("kind,kind"));
}

#[test]
fn long_text_wraps_and_tables_of_other_commands_render_alone() {
    let mut table = Table::new(vec![
        Column::text("key", "key"),
        Column::text("value", "value"),
        Column::number("rows", "rows"),
    ]);
    table.push(vec![
        Cell::text("universe"),
        Cell::text("SPY QQQ IWM TSLA NVDA AAPL MSFT"),
        Cell::count(1_234_567),
    ]);
    table.push(vec![
        Cell::text("a|b"),
        Cell::Empty,
        Cell::Percent {
            value: 12.5,
            decimals: 1,
        },
    ]);
    let style = TerminalStyle {
        width: Some(40),
        ..TerminalStyle::default()
    };
    expect![[r#"
        key      value                      rows
        ────────────────────────────────────────
        universe SPY QQQ IWM TSLA NVDA 1,234,567
                 AAPL MSFT
        a|b      –                        12.5 %
    "#]]
    .assert_eq(&render_styled(
        std::slice::from_ref(&table),
        Format::Table,
        style,
    ));
    expect![[r#"
        key,value,rows
        universe,SPY QQQ IWM TSLA NVDA AAPL MSFT,1234567
        a|b,,12.5
    "#]]
    .assert_eq(&render(std::slice::from_ref(&table), Format::Csv));
    expect![[r#"
        | key      | value                           |      rows |
        | -------- | ------------------------------- | --------: |
        | universe | SPY QQQ IWM TSLA NVDA AAPL MSFT | 1,234,567 |
        | a\|b     | –                               |    12.5 % |
    "#]]
    .assert_eq(&render(std::slice::from_ref(&table), Format::Md));
    expect![[r#"
        [
          {
            "rows": [
              {
                "key": "universe",
                "value": "SPY QQQ IWM TSLA NVDA AAPL MSFT",
                "rows": 1234567
              },
              {
                "key": "a|b",
                "value": null,
                "rows": 12.5
              }
            ]
          }
        ]
    "#]]
    .assert_eq(&render(&[table], Format::Json));
}
