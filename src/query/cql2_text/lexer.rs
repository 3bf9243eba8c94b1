//! The words of CQL2 text (OGC 21-065r2 annex B).

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name, a keyword or a function, as written.
    Word(String),
    /// A name between double quotation marks, which is no keyword.
    Name(String),
    /// Between single quotation marks.
    Text(String),
    Number(String),
    /// `(`, `)`, `,`, `=`, `<>`, `<=`, `+` …
    Sign(&'static str),
}

impl Token {
    /// For a refusal.
    pub fn shown(&self) -> String {
        match self {
            Token::Word(text) | Token::Number(text) => text.chars().take(40).collect(),
            Token::Name(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
            Token::Text(text) => format!("'{}'", text.chars().take(40).collect::<String>()),
            Token::Sign(sign) => (*sign).to_owned(),
        }
    }
}

/// The longest first.
const SIGNS: [&str; 14] = ["<>", "<=", ">=", "(", ")", ",", "=", "<", ">", "+", "-", "*", "/", "%"];

/// Tokens, each with the byte it begins at.
///
/// # Errors
/// What was expected, and where, for the client.
pub fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(sign) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = match sign {
            sign if sign.is_whitespace() => {
                at += sign.len_utf8();
                continue;
            }
            '\'' => quoted(rest, '\'').map(|(text, length)| (Token::Text(text), length)).ok_or_else(|| unclosed(at))?,
            '"' => quoted(rest, '"').map(|(text, length)| (Token::Name(text), length)).ok_or_else(|| unclosed(at))?,
            '0'..='9' | '.' => {
                let length = number(rest);
                (Token::Number(rest[..length].to_owned()), length)
            }
            '^' => (Token::Sign("^"), 1),
            sign if starts_a_word(sign) => {
                let length = rest.find(|sign| !continues_a_word(sign)).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
            sign => {
                let known = SIGNS.iter().find(|known| rest.starts_with(**known));
                let known = known.ok_or_else(|| format!("unexpected `{sign}` at byte {}", at + 1))?;
                (Token::Sign(known), known.len())
            }
        };
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn unclosed(at: usize) -> String {
    format!("expected the quotation mark at byte {} to be closed", at + 1)
}

/// Rule `identifierStart`, which leaves out few letters and none that a field has.
pub fn starts_a_word(sign: char) -> bool {
    sign.is_alphabetic() || matches!(sign, '_' | ':')
}

pub fn continues_a_word(sign: char) -> bool {
    starts_a_word(sign) || sign.is_numeric() || sign == '.' || unicode_normalization::char::is_combining_mark(sign)
}

/// The text inside, and the bytes of all of it. A doubled mark is one mark; so is one behind a backslash, in a text.
fn quoted(rest: &str, mark: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut signs = rest.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        let next = signs.peek().map(|(_, next)| *next);
        match sign {
            sign if sign == mark && next == Some(mark) => {
                text.push(mark);
                signs.next();
            }
            sign if sign == mark => return Some((text, at + 1)),
            '\\' if mark == '\'' && next == Some(mark) => {
                text.push(mark);
                signs.next();
            }
            sign => text.push(sign),
        }
    }
    None
}

/// Bytes of digits, a point, digits, and an exponent.
fn number(rest: &str) -> usize {
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    if rest[length..].starts_with('.') {
        length += 1;
        length += digits(length);
    }
    let exponent = rest[length..].starts_with(['e', 'E']).then(|| {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        (1 + sign, digits(length + 1 + sign))
    });
    match exponent {
        Some((before, digits)) if digits > 0 => length + before + digits,
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Token> {
        tokens(text).expect("tokens").into_iter().map(|(_, token)| token).collect()
    }

    #[test]
    fn words_texts_and_numbers_are_told_apart() {
        let word = |text: &str| Token::Word(text.into());
        let number = |text: &str| Token::Number(text.into());
        assert_eq!(of("eo:cloud_cover<=.5"), [word("eo:cloud_cover"), Token::Sign("<="), number(".5")]);
        assert_eq!(of("balance-150.0"), [word("balance"), Token::Sign("-"), number("150.0")]);
        assert_eq!(of("1.5E-3 2e5 3each"), [number("1.5E-3"), number("2e5"), number("3"), word("each")]);
        assert_eq!(of("'l''eau' 'l\\'eau' 'a\\b'"), ["l'eau", "l'eau", "a\\b"].map(|text| Token::Text(text.into())));
        assert_eq!(of("\"nom d'usage\" Année"), [Token::Name("nom d'usage".into()), word("Année")]);
    }

    #[test]
    fn what_is_no_word_is_refused_by_its_place() {
        assert!(tokens("a = 'b").is_err_and(|fault| fault.contains("byte 5")));
        assert!(tokens("a ; b").is_err_and(|fault| fault.contains("`;` at byte 3")));
    }
}
