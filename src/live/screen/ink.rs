//! Ink: from what a figure means to how it looks, with colours and without.

use ratatui::style::{Color, Modifier, Style};

use crate::flow::Side;
use crate::strategies::Direction;

#[derive(Clone, Copy, Debug)]
pub struct Ink {
    pub is_coloured: bool,
}

impl Ink {
    pub const PLAIN: Style = Style::new();
    pub const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
    pub const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
    pub const HEADING: Style = Style::new().add_modifier(Modifier::UNDERLINED);
    pub const FOCUS: Style = Style::new().add_modifier(Modifier::REVERSED);

    pub fn gain(self) -> Style {
        self.colour(Color::Green)
    }

    pub fn loss(self) -> Style {
        self.colour(Color::Red)
    }

    pub fn warning(self) -> Style {
        self.colour(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    pub fn of_direction(self, direction: Direction) -> Style {
        match direction {
            Direction::Bullish => self.gain(),
            Direction::Bearish => self.loss(),
        }
    }

    pub fn of_side(self, side: Side) -> Style {
        match side {
            Side::Buy => self.gain(),
            Side::Sell => self.loss(),
            Side::Unknown => Ink::QUIET,
        }
    }

    pub fn of_pnl(self, pnl_pct: f64) -> Style {
        if pnl_pct > 0.0 {
            self.gain()
        } else if pnl_pct < 0.0 {
            self.loss()
        } else {
            Ink::PLAIN
        }
    }

    fn colour(self, colour: Color) -> Style {
        if self.is_coloured {
            Ink::PLAIN.fg(colour)
        } else {
            Ink::PLAIN
        }
    }
}
