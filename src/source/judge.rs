//! What a column of a CSV holds, by all of its values.

use crate::model::layer::FieldType;

/// A French or an English number: spaces between thousands, comma or point. `None` for anything else.
pub fn number(text: &str) -> Option<f64> {
    let plain: String = text.trim().chars().filter(|sign| !matches!(sign, ' ' | '\u{a0}' | '\u{202f}')).collect();
    let shaped = plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b',' | b'e' | b'E'));
    if !shaped || plain.is_empty() || plain.matches([',', '.']).count() > 1 {
        return None;
    }
    plain.replace(',', ".").parse().ok().filter(|value: &f64| value.is_finite())
}

/// What all values of a column have in common.
#[derive(Clone)]
pub struct Judge {
    values: u64,
    integer: bool,
    real: bool,
    date: bool,
}

impl Default for Judge {
    fn default() -> Judge {
        Judge { values: 0, integer: true, real: true, date: true }
    }
}

/// Digits that a double holds for certain.
const REAL_DIGITS_MAX: usize = 15;

impl Judge {
    pub fn see(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        self.values += 1;
        let digits = value.strip_prefix('-').unwrap_or(value);
        let leads_with_zero = digits.len() > 1 && digits.starts_with('0') && !digits[1..].starts_with(['.', ',']);
        let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        self.integer &= is_digits && !leads_with_zero && value.parse::<i64>().is_ok();
        let shaped = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
            && digits.starts_with(|sign: char| sign.is_ascii_digit());
        self.real &= shaped && !leads_with_zero && digits.len() <= REAL_DIGITS_MAX + 1 && number(value).is_some();
        self.date &= date(value).is_some();
    }

    pub fn verdict(&self) -> FieldType {
        match self {
            Judge { values: 0, .. } => FieldType::Text,
            Judge { integer: true, .. } => FieldType::Integer,
            Judge { real: true, .. } => FieldType::Real,
            Judge { date: true, .. } => FieldType::Date,
            _ => FieldType::Text,
        }
    }
}

/// `2026-06-30` and `30/06/2026`.
pub fn date(text: &str) -> Option<jiff::civil::Date> {
    if text.len() != 10 {
        return None;
    }
    if let Ok(date) = text.parse() {
        return Some(date);
    }
    let mut parts = text.split('/');
    let (day, month, year) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    jiff::civil::Date::new(year, month, day).ok()
}
