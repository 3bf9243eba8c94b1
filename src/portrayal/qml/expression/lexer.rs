//! The words of a QGIS expression.

/// A word of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// Without quotation marks: a name of the language, a function or a column.
    Word(String),
    /// `"…"`: a column.
    Quoted(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// The longer before what they begin with.
const SIGNS: [&str; 20] = ["||", "<=", ">=", "<>", "!=", "==", "//", "=", "<", ">", "+", "-", "*", "/", "%", "^", "(", ")", ",", ";"];

impl Token {
    pub fn text(&self) -> &str {
        match self {
            Token::Word(text) | Token::Quoted(text) | Token::Text(text) | Token::Number(text) => text,
            Token::Sign(sign) => sign,
        }
    }
}

/// # Errors
/// What is no word, in French.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' | '\'' => {
                let (inside, length) = quoted(rest, first)?;
                (Some(if first == '"' { Token::Quoted(inside) } else { Token::Text(inside) }), length)
            }
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '0'..='9' | '.' => {
                let length = number(rest);
                (Some(Token::Number(rest[..length].to_owned())), length)
            }
            sign if sign.is_alphabetic() || sign == '_' => {
                let length = rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(rest.len());
                (Some(Token::Word(rest[..length].to_owned())), length)
            }
            other => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(|| format!("« {other} » sans équivalent"))?;
                (Some(Token::Sign(sign)), sign.len())
            }
        };
        found.extend(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// A quotation mark inside is doubled, or stands behind a backslash.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut inside = String::new();
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign == quote {
            match signs.peek() {
                Some((_, next)) if *next == quote => {
                    signs.next();
                    inside.push(quote);
                }
                _ => return Ok((inside, at + 1)),
            }
        } else if sign == '\\' && quote == '\'' {
            match signs.next().map(|(_, next)| next) {
                Some('n') => inside.push('\n'),
                Some('t') => inside.push('\t'),
                // A pattern's own escape stays.
                Some(next @ ('%' | '_')) => inside.extend(['\\', next]),
                Some(next) => inside.push(next),
                None => break,
            }
        } else {
            inside.push(sign);
        }
    }
    Err("guillemet sans fin".to_owned())
}

/// Digits, a point, an exponent.
fn number(text: &str) -> usize {
    let digits = |text: &str| text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let mut length = digits(text);
    if text[length..].starts_with('.') {
        length += 1 + digits(&text[length + 1..]);
    }
    if text[length..].starts_with(['e', 'E']) {
        let signed = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(&text[length + 1 + signed..]);
        length += if exponent > 0 { 1 + signed + exponent } else { 0 };
    }
    length.max(1)
}
