//! Heartbeat: from the gauges to four short lines, each figure at a place it keeps while it grows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::figures::{age, count, lag};
use super::ink::Ink;
use super::panes::indented;
use super::{Status, table};
use crate::strategies::Kind;
use crate::time::SECOND_NS;

const TITLE_WIDTH: u16 = 9;
const LINES: usize = 4;
/// From this width on two lines stand beside each other.
const PAIRED_FROM: u16 = 160;

/// A figure with its name, and the characters it usually needs.
struct Figure {
    name: &'static str,
    value: String,
    usual_width: usize,
    style: Style,
}

impl Figure {
    fn new(name: &'static str, value: String, usual_width: usize) -> Figure {
        Figure {
            name,
            value,
            usual_width,
            style: Ink::PLAIN,
        }
    }

    fn counted(name: &'static str, value: u64, usual_width: usize) -> Figure {
        Figure::new(name, count(value), usual_width)
    }

    /// A count that should be 0.
    fn fault(name: &'static str, value: u64, ink: Ink) -> Figure {
        Figure {
            style: if value > 0 { ink.warning() } else { Ink::PLAIN },
            ..Figure::counted(name, value, 1)
        }
    }
}

pub fn height(width: u16) -> u16 {
    if width < PAIRED_FROM { 4 } else { 2 }
}

pub fn draw(buffer: &mut Buffer, area: Rect, status: &Status, per_minute: Option<u64>) {
    let groups: [(&str, Vec<Figure>); LINES] = [
        ("STREAM", stream(status, per_minute)),
        ("SIGNALS", signals(status)),
        ("FAULTS", faults(status)),
        ("ALERTS", alerts(status)),
    ];
    let in_a_row = LINES as u16 / height(area.width);
    let width = area.width / in_a_row;
    for (index, (title, figures)) in groups.into_iter().enumerate() {
        let (column, row) = (index as u16 % in_a_row, index as u16 / in_a_row);
        let line = Rect::new(area.x + column * width, area.y + row, width, 1);
        draw_line(buffer, indented(line.intersection(area)), title, &figures);
    }
}

fn draw_line(buffer: &mut Buffer, line: Rect, title: &str, figures: &[Figure]) {
    buffer.set_stringn(line.x, line.y, title, line.width.into(), Ink::QUIET);
    let mut x = line.x + TITLE_WIDTH;
    for Figure {
        name,
        value,
        usual_width,
        style,
    } in figures
    {
        let name = Span::styled(*name, Ink::QUIET);
        let value = Span::styled(value.as_str(), Ink::STRONG.patch(*style));
        let width = (name.width() + 1 + value.width()) as u16;
        // A figure is whole or not there.
        if x + width > line.right() {
            break;
        }
        let (end, _) = buffer.set_span(x, line.y, &name, line.width);
        table::write_cut(buffer, end + 1, line.y, &value, line.right() - end - 1);
        x += width.max((name.width() + 1 + usual_width) as u16) + 2;
    }
}

fn stream(status: &Status, per_minute: Option<u64>) -> Vec<Figure> {
    let gauges = status.gauges;
    let has_event = gauges.last_event_at.get() > 0;
    let if_any = |text: String| if has_event { text } else { "–".into() };
    let last = status.now.ns() - gauges.last_event_at.get();
    vec![
        Figure::counted("events", gauges.events.get(), 7),
        Figure::new("per min", per_minute.map_or("–".into(), count), 5),
        Figure::new("last", if_any(format!("{} ago", age(last))), 8),
        Figure::new("lag", if_any(lag(gauges.event_lag_ns.get())), 5),
        Figure::counted("queue", unsigned(gauges.queue_depth.get()), 3),
        Figure::counted("prints", gauges.prints.get(), 9),
    ]
}

fn signals(status: &Status) -> Vec<Figure> {
    let gauges = status.gauges;
    let of_kind = |kind: &Kind| {
        let signals = gauges.signals_of(*kind).get();
        Figure::counted(kind.as_str(), signals, 4)
    };
    let open = unsigned(gauges.open_positions.get());
    Kind::ALL
        .iter()
        .map(of_kind)
        .chain([
            Figure::counted("open", open, 3),
            Figure::counted("closed", gauges.trades_closed.get(), 4),
        ])
        .collect()
}

/// Drops, reconnects and gaps always; the rest when there is something to say.
fn faults(status: &Status) -> Vec<Figure> {
    let gauges = status.gauges;
    let ink = status.ink();
    let mut figures = vec![
        Figure::fault("drops", gauges.drops(), ink),
        Figure::counted("reconnects", gauges.reconnects_in_all(), 1),
        Figure::fault("gaps open", gauges.gaps_left.get(), ink),
        Figure::counted("closed", gauges.gaps_closed.get(), 1),
    ];
    let others = [
        ("late", gauges.late_prints.get()),
        ("malformed", gauges.malformed.get()),
        ("unknown", gauges.unknown_messages.get()),
    ];
    let others = others.into_iter().filter(|(_, count)| *count > 0);
    figures.extend(others.map(|(name, count)| Figure::fault(name, count, ink)));
    let skew = gauges.clock_skew_ns.get();
    if skew.abs() >= SECOND_NS {
        let sign = if skew > 0 { '+' } else { '-' };
        figures.push(Figure {
            style: ink.warning(),
            ..Figure::new("clock", format!("{sign}{}", age(skew.abs())), 0)
        });
    }
    figures
}

fn alerts(status: &Status) -> Vec<Figure> {
    let gauges = status.gauges;
    let ink = status.ink();
    let mut figures = vec![
        Figure::counted("sent", gauges.alerts_sent.get(), 4),
        Figure::counted("waiting", unsigned(gauges.alerts_waiting.get()), 3),
        Figure::fault("dead", gauges.alerts_dead.get(), ink),
    ];
    let last = gauges.last_alert_at.get();
    if last > 0 {
        let text = format!("{} ago", age(status.now.ns() - last));
        figures.push(Figure::new("last", text, 8));
    }
    figures
}

fn unsigned(level: i64) -> u64 {
    level.max(0).unsigned_abs()
}
