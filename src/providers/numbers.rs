//! Numbers: from the digits of a field to integers and prices, exactly what `str::parse` would give.

use super::words::each;

/// A double holds every integer below this one.
const EXACT: u64 = 1 << 53;

/// The powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// One to nineteen digits and nothing else.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    let (eights, rest) = text.as_chunks::<8>();
    let mut number = 0;
    for digits in eights {
        number = number * 100_000_000 + eight_digits(*digits)?;
    }
    for digit in rest {
        number = number * 10 + digit_of(*digit)?;
    }
    Some(number)
}

/// A whole number that may be written with a point and zeros behind it: `4` or `4.000000`.
#[inline]
pub(super) fn integral(text: &[u8]) -> Option<u64> {
    whole(text).or_else(|| {
        let point = text.iter().position(|byte| *byte == b'.')?;
        let zeros = text[point + 1..].iter().all(|byte| *byte == b'0');
        whole(&text[..point]).filter(|_| zeros)
    })
}

/// A finite number.
#[inline]
pub(super) fn decimal(text: &[u8]) -> Option<f64> {
    plain(text).or_else(|| {
        let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        number.is_finite().then_some(number)
    })
}

/// Digits with at most one point among them. Both the digits as an integer and the power of ten are
/// exact, so their quotient is rounded once, as the text's own value would be.
#[inline]
fn plain(text: &[u8]) -> Option<f64> {
    if text.len() > 17 {
        return None;
    }
    let (mut mantissa, mut digits, mut decimals, mut is_fraction) = (0u64, 0, 0, false);
    for byte in text {
        if *byte == b'.' && !is_fraction {
            is_fraction = true;
            continue;
        }
        mantissa = mantissa * 10 + digit_of(*byte)?;
        digits += 1;
        decimals += usize::from(is_fraction);
    }
    (digits > 0 && mantissa < EXACT).then(|| mantissa as f64 / POWERS[decimals])
}

#[inline]
fn digit_of(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

/// Joins neighbours to pairs, pairs to fours, fours to eight: three multiplications in all.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(text);
    // A digit's upper half is 3, and still is after adding 6.
    let upper = word & each(0xF0);
    let raised = (word & each(0x7F)).wrapping_add(each(6)) & each(0xF0);
    if upper != each(0x30) || raised != each(0x30) {
        return None;
    }
    let digits = word & each(0x0F);
    let pairs = (digits.wrapping_mul((10 << 8) + 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul((100 << 16) + 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    Some(fours.wrapping_mul((10_000 << 32) + 1) >> 32)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn whole_numbers_are_what_parse_makes_of_them() {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        for _ in 0..100_000 {
            let number = random.random::<u64>() >> random.random_range(1..64);
            assert_eq!(whole(number.to_string().as_bytes()), Some(number));
        }
        assert_eq!(
            whole(b"1791988801123000000"),
            Some(1_791_988_801_123_000_000)
        );
        for text in [
            "",
            "-1",
            "1.0",
            " 1",
            "12345678:",
            "1234567/",
            "1234\u{b1}678",
            "99999999999999999999",
        ] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_byte_beside_digits_is_noticed() {
        for place in 0..8 {
            for byte in 0..=255u8 {
                let mut text = *b"12345678";
                text[place] = byte;
                assert_eq!(eight_digits(text).is_some(), byte.is_ascii_digit());
            }
        }
    }

    #[test]
    fn integral_decimals_are_whole_numbers_and_others_are_not() {
        for (text, expected) in [
            ("4", Some(4)),
            ("4.000000", Some(4)),
            ("4.", Some(4)),
            ("28038.875816", None),
            (".0", None),
            ("4.0.0", None),
            ("-4", None),
        ] {
            assert_eq!(integral(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn decimals_have_the_bits_that_parse_gives_them() {
        let mut random = Pcg64Mcg::seed_from_u64(2);
        for _ in 0..200_000 {
            let digits = random.random::<u64>() >> random.random_range(1..64);
            let mut text = digits.to_string();
            if random.random_bool(0.8) {
                text.insert(random.random_range(0..=text.len()), '.');
            }
            let expected: f64 = text.parse().unwrap();
            let found = decimal(text.as_bytes()).unwrap();
            assert_eq!(found.to_bits(), expected.to_bits(), "{text}");
        }
        for text in ["", ".", "1.2.3", "1,2", "inf", "nan", "1e400", "0x1"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decimal(b"-1.5e-3"), Some(-0.0015));
    }
}
