//! Condition codes: what a code of the option tape says about its print.
//!
//! A code is 200 + the position of its letter on OPRA's tape (A = 1 … Z = 26, a = 27 … v = 48). The
//! classes and what counts towards volume are those of the vendor's consolidated rules:
//!
//! ```text
//! 201 203 205 207      cancels, no trade of their own
//! 202 204 206 208      late or out of sequence; of these only 208 counts as volume
//! 219 228 230          intermarket sweep orders
//! 227 228 233 237 238 244   auctions
//! 229 230 234 241      crosses
//! 231 235 239 242 245 246   floor
//! 232 to 246           legs of spreads, or tied to stock
//! 247                  compressions, volume but not flow
//! 248                  extended hours
//! ```

use serde::{Deserialize, Serialize};

/// The codes of one print in the order they were reported. OPRA gives one; there is room for four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Codes([i16; Codes::ROOM]);

impl Codes {
    pub const ROOM: usize = 4;

    pub const fn one(code: i16) -> Codes {
        Codes([code, 0, 0, 0])
    }

    /// `None` when there are more codes than a print can have.
    pub fn of(codes: &[i16]) -> Option<Codes> {
        let mut room = [0; Codes::ROOM];
        room.get_mut(..codes.len())?.copy_from_slice(codes);
        Some(Codes(room))
    }

    pub fn iter(&self) -> impl Iterator<Item = i16> + '_ {
        self.0.iter().copied().filter(|code| *code != 0)
    }
}

/// What a print's codes come to together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class {
    pub is_cancel: bool,
    pub is_late: bool,
    pub is_iso: bool,
    pub is_auction: bool,
    pub is_cross: bool,
    pub is_floor: bool,
    pub is_multi_leg: bool,
    pub is_compression: bool,
    pub is_extended: bool,
    /// A code that is not in the list, or none at all. Such a print is regular.
    pub is_unknown: bool,
    /// Whether the print's size is part of the contract's volume of the day.
    pub counts: bool,
}

impl Class {
    pub fn of(codes: Codes) -> Class {
        let mut class = Class {
            counts: true,
            is_unknown: codes.0[0] == 0,
            ..Class::default()
        };
        for code in codes.iter() {
            class.add(code);
        }
        class
    }

    fn add(&mut self, code: i16) {
        match code {
            201 | 203 | 205 | 207 => self.is_cancel = true,
            202 | 204 | 206 | 208 => self.is_late = true,
            // A reopening is an auction too: its price is not an answer to the quote before it.
            210 | 227 | 228 | 233 | 237 | 238 | 244 => self.is_auction = true,
            229 | 230 | 234 | 241 => self.is_cross = true,
            231 | 235 | 239 | 242 | 245 | 246 => self.is_floor = true,
            247 => self.is_compression = true,
            248 => self.is_extended = true,
            209 | 219 | 232 | 236 | 240 | 243 => {}
            _ => self.is_unknown = true,
        }
        self.is_iso |= matches!(code, 219 | 228 | 230);
        self.is_multi_leg |= (232..=246).contains(&code);
        self.counts &= !(201..=207).contains(&code);
    }

    /// Whether the print may start or join an event.
    pub fn is_flow(&self) -> bool {
        !self.is_cancel && !self.is_late && !self.is_compression
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_where(has: fn(&Class) -> bool) -> Vec<i16> {
        (201..=248)
            .filter(|code| has(&Class::of(Codes::one(*code))))
            .collect()
    }

    #[test]
    fn every_listed_code_has_its_classes() {
        assert_eq!(codes_where(|c| c.is_cancel), [201, 203, 205, 207]);
        assert_eq!(codes_where(|c| c.is_late), [202, 204, 206, 208]);
        assert_eq!(codes_where(|c| c.is_iso), [219, 228, 230]);
        assert_eq!(codes_where(|c| c.is_cross), [229, 230, 234, 241]);
        assert_eq!(
            codes_where(|c| c.is_auction),
            [210, 227, 228, 233, 237, 238, 244]
        );
        assert_eq!(codes_where(|c| c.is_floor), [231, 235, 239, 242, 245, 246]);
        let spreads: Vec<i16> = (232..=246).collect();
        assert_eq!(codes_where(|c| c.is_multi_leg), spreads);
        assert_eq!(
            codes_where(|c| !c.counts),
            [201, 202, 203, 204, 205, 206, 207]
        );
        assert_eq!(
            codes_where(|c| !c.is_flow()),
            [201, 202, 203, 204, 205, 206, 207, 208, 247]
        );
        assert_eq!(
            codes_where(|c| c.is_unknown),
            [
                211, 212, 213, 214, 215, 216, 217, 218, 220, 221, 222, 223, 224, 225, 226
            ]
        );
    }

    #[test]
    fn a_print_without_codes_or_with_a_new_one_is_regular_and_marked() {
        for codes in [Codes::default(), Codes::one(300)] {
            let class = Class::of(codes);
            assert!(class.is_unknown && class.is_flow() && class.counts);
        }
    }

    #[test]
    fn several_codes_add_up() {
        let class = Class::of(Codes::of(&[219, 232]).expect("two have room"));
        assert!(class.is_iso && class.is_multi_leg && !class.is_unknown);
        assert_eq!(Codes::of(&[1; 5]), None);
    }
}
