//! Counts as French writes them: « 1 ligne », « 1 200 lignes ».

/// Thousands are set apart by a narrow no-break space, as the Imprimerie nationale does.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// The count and its noun; French has the singular below two.
pub fn counted(count: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", number(count), if count < 2 { singular } else { plural })
}

/// The word that agrees with the count.
pub fn agree<'a>(count: u64, singular: &'a str, plural: &'a str) -> &'a str {
    if count < 2 { singular } else { plural }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_one_are_singular() {
        assert_eq!(counted(0, "ligne", "lignes"), "0 ligne");
        assert_eq!(counted(1, "ligne", "lignes"), "1 ligne");
        assert_eq!(counted(2, "ligne", "lignes"), "2 lignes");
        assert_eq!(agree(2, "manque", "manquent"), "manquent");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
