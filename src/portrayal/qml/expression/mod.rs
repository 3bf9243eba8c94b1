//! QGIS expressions, the part of them that a filter can say.
//!
//! From the loosest to the tightest: `OR`, `AND`, `NOT`, comparisons, sums, products, powers, `||`, an operand. Whatever has
//! no equal here (variables, most functions, regular expressions) is refused with its name, never guessed.

mod lexer;

use crate::portrayal::label::Piece;
use crate::portrayal::losses::shown;
use crate::portrayal::qml::expression::lexer::Token;
use crate::query::filter::Arithmetic;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::query::filter::cost;
use crate::query::filter::fold;

type Found = Result<Filter, String>;

/// What texts are joined by, once parsed.
const CONCAT: &str = "concat";

/// A condition, such as a rule's filter.
///
/// # Errors
/// What is not understood, in French.
pub fn condition(text: &str) -> Found {
    let filter = plain(parse(text)?)?;
    cost::check(&filter).map_err(|_| "il est trop long".to_owned())?;
    Ok(filter)
}

/// A value, such as what classes are told by.
///
/// # Errors
/// What is not understood, in French.
pub fn value(text: &str) -> Found {
    plain(parse(text)?)
}

/// The text of a label: fields and literals in a row.
///
/// # Errors
/// What is not understood, in French.
pub fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut found = Vec::new();
    collect(parse(text)?, &mut found)?;
    Ok(found)
}

fn collect(value: Filter, found: &mut Vec<Piece>) -> Result<(), String> {
    match value {
        Filter::Property(name) => found.push(Piece::Field(name)),
        Filter::Text(text) => found.push(Piece::Literal(text)),
        Filter::Integer(whole) => found.push(Piece::Literal(whole.to_string())),
        Filter::Real(real) => found.push(Piece::Literal(real.to_string())),
        Filter::Function(name, parts) if name == CONCAT => {
            return parts.into_iter().try_for_each(|part| collect(part, found));
        }
        // An absent field is an empty text in a label here.
        Filter::Function(name, mut parts) if matches!(name.as_str(), "to_string" | "coalesce") && !parts.is_empty() => {
            let is_plain = parts[1..].iter().all(|part| *part == Filter::Text(String::new()));
            return if is_plain { collect(parts.swap_remove(0), found) } else { Err(unknown(&name)) };
        }
        Filter::Function(name, _) => return Err(unknown(&name)),
        _ => return Err("calcul sans équivalent".to_owned()),
    }
    Ok(())
}

fn unknown(name: &str) -> String {
    format!("fonction « {} » sans équivalent", shown(name))
}

/// `lower(x) = 'abc'` compares in any letter case; every other function is refused.
fn plain(filter: Filter) -> Found {
    match filter {
        Filter::Compare(operator, a, b) if matches!(operator, Comparison::Equal | Comparison::NotEqual) => {
            let (a, b) = match (*a, *b) {
                (Filter::Function(name, parts), Filter::Text(text)) if is_case(&name) => (cased(&name, parts, &text)?, folded(text)),
                (a, b) => (plain(a)?, plain(b)?),
            };
            Ok(Filter::Compare(operator, Box::new(a), Box::new(b)))
        }
        Filter::Function(name, _) => Err(unknown(&name)),
        other => other.try_map(&mut plain),
    }
}

fn is_case(name: &str) -> bool {
    matches!(name, "lower" | "upper")
}

fn folded(text: String) -> Filter {
    Filter::Casei(Box::new(Filter::Text(text)))
}

/// Only a text that is itself in that case can be met.
fn cased(name: &str, mut parts: Vec<Filter>, text: &str) -> Found {
    let is_met = if name == "lower" { text.to_lowercase() == text } else { text.to_uppercase() == text };
    match (parts.pop(), parts.is_empty()) {
        (Some(part), true) if is_met && fold::casei(text) == text.to_lowercase() => Ok(Filter::Casei(Box::new(plain(part)?))),
        _ => Err(unknown(name)),
    }
}

fn parse(text: &str) -> Found {
    if text.len() > cost::LENGTH_MAX {
        return Err("il est trop long".to_owned());
    }
    let mut parser = Parser { tokens: lexer::tokens(text)?, at: 0, depth: 0 };
    let filter = parser.or()?;
    if parser.at == parser.tokens.len() { Ok(filter) } else { Err(parser.unexpected()) }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            Some(token) => format!("« {} » inattendu", shown(token.text())),
            None => "fin inattendue".to_owned(),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    /// The first of the signs that stands here, and what it means.
    fn take_one<T: Copy>(&mut self, known: &[(&str, T)]) -> Option<T> {
        known.iter().find(|(sign, _)| self.take_sign(sign)).map(|(_, meaning)| *meaning)
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), String> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Everything that opens a bracket goes through here, so that no text exhausts the stack.
    fn deeper<T>(&mut self, inside: impl FnOnce(&mut Parser) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > cost::DEPTH_MAX {
            return Err("il est imbriqué trop profondément".to_owned());
        }
        let found = inside(self);
        self.depth -= 1;
        found
    }

    fn or(&mut self) -> Found {
        self.joined("OR", Parser::and, Filter::Or)
    }

    fn and(&mut self) -> Found {
        self.joined("AND", Parser::not, Filter::And)
    }

    fn joined(&mut self, word: &str, part: fn(&mut Parser) -> Found, join: fn(Vec<Filter>) -> Filter) -> Found {
        let mut parts = vec![part(self)?];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn not(&mut self) -> Found {
        if self.take_word("NOT") { self.deeper(|parser| Ok(Filter::Not(Box::new(parser.not()?)))) } else { self.predicate() }
    }

    fn predicate(&mut self) -> Found {
        const SIGNS: [(&str, Comparison); 8] = [
            ("=", Comparison::Equal),
            ("==", Comparison::Equal),
            ("<>", Comparison::NotEqual),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let left = self.sum()?;
        if let Some(operator) = self.take_one(&SIGNS) {
            return Ok(Filter::Compare(operator, Box::new(left), Box::new(self.sum()?)));
        }
        if self.take_word("IS") {
            return self.is(left);
        }
        let before = self.at;
        let is_negated = self.take_word("NOT");
        let found = if self.take_word("LIKE") {
            Filter::Like(Box::new(left), Box::new(self.pattern()?))
        } else if self.take_word("ILIKE") {
            Filter::Like(Box::new(Filter::Casei(Box::new(left))), Box::new(Filter::Casei(Box::new(self.pattern()?))))
        } else if self.take_word("BETWEEN") {
            let least = self.sum()?;
            if !self.take_word("AND") {
                return Err(self.unexpected());
            }
            Filter::Between(Box::new(left), Box::new(least), Box::new(self.sum()?))
        } else if self.take_word("IN") {
            self.expect_sign("(")?;
            Filter::In(Box::new(left), self.arguments()?)
        } else {
            self.at = before;
            return Ok(left);
        };
        Ok(if is_negated { Filter::Not(Box::new(found)) } else { found })
    }

    /// `IS` compares absent values too.
    fn is(&mut self, left: Filter) -> Found {
        let is_negated = self.take_word("NOT");
        let is_null = Filter::IsNull(Box::new(left.clone()));
        if self.take_word("NULL") {
            return Ok(if is_negated { Filter::Not(Box::new(is_null)) } else { is_null });
        }
        let right = self.sum()?;
        if matches!(right, Filter::Property(_)) {
            return Err("« IS » entre deux champs sans équivalent".to_owned());
        }
        let operator = if is_negated { Comparison::NotEqual } else { Comparison::Equal };
        let compared = Filter::Compare(operator, Box::new(left), Box::new(right));
        Ok(if is_negated { Filter::Or(vec![is_null, compared]) } else { compared })
    }

    fn pattern(&mut self) -> Found {
        match self.sum()? {
            text @ Filter::Text(_) => Ok(text),
            _ => Err("motif qui n'est pas un texte".to_owned()),
        }
    }

    fn sum(&mut self) -> Found {
        self.chain(&[("+", Arithmetic::Add), ("-", Arithmetic::Subtract)], Parser::product)
    }

    fn product(&mut self) -> Found {
        let signs = [("*", Arithmetic::Multiply), ("//", Arithmetic::WholeDivide), ("/", Arithmetic::Divide), ("%", Arithmetic::Remainder)];
        self.chain(&signs, Parser::power)
    }

    fn power(&mut self) -> Found {
        self.chain(&[("^", Arithmetic::Power)], Parser::concat)
    }

    fn chain(&mut self, signs: &[(&str, Arithmetic)], part: fn(&mut Parser) -> Found) -> Found {
        let mut left = part(self)?;
        while let Some(operator) = self.take_one(signs) {
            left = Filter::Arithmetic(operator, Box::new(left), Box::new(part(self)?));
        }
        Ok(left)
    }

    fn concat(&mut self) -> Found {
        let mut parts = vec![self.operand()?];
        while self.take_sign("||") {
            parts.push(self.operand()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Function(CONCAT.to_owned(), parts) })
    }

    fn operand(&mut self) -> Found {
        let Some(token) = self.peek().cloned() else { return Err(self.unexpected()) };
        self.at += 1;
        match token {
            Token::Quoted(name) => Ok(Filter::Property(name)),
            Token::Text(text) => Ok(Filter::Text(text)),
            Token::Number(number) => number.parse().map(Filter::Integer).or_else(|_| number.parse().map(Filter::Real)).map_err(|_| number),
            Token::Sign("(") => self.deeper(|parser| {
                let inside = parser.or()?;
                parser.expect_sign(")")?;
                Ok(inside)
            }),
            Token::Sign("-") => self.deeper(|parser| {
                Ok(match parser.operand()? {
                    Filter::Integer(whole) => Filter::Integer(whole.saturating_neg()),
                    Filter::Real(real) => Filter::Real(-real),
                    other => Filter::Arithmetic(Arithmetic::Subtract, Box::new(Filter::Integer(0)), Box::new(other)),
                })
            }),
            Token::Word(word) => self.word(word),
            Token::Sign(_) => {
                self.at -= 1;
                Err(self.unexpected())
            }
        }
    }

    fn word(&mut self, word: String) -> Found {
        let lower = word.to_ascii_lowercase();
        if self.take_sign("(") {
            return Ok(Filter::Function(lower, self.arguments()?));
        }
        match lower.as_str() {
            "true" => Ok(Filter::Boolean(true)),
            "false" => Ok(Filter::Boolean(false)),
            "null" | "case" | "when" | "then" | "else" | "end" | "and" | "or" | "not" | "in" | "is" | "like" | "ilike" | "between" => {
                Err(format!("« {} » sans équivalent ici", shown(&word)))
            }
            _ => Ok(Filter::Property(word)),
        }
    }

    /// What stands between brackets, the first of which is taken.
    fn arguments(&mut self) -> Result<Vec<Filter>, String> {
        self.deeper(|parser| {
            let mut found = Vec::new();
            if parser.take_sign(")") {
                return Ok(found);
            }
            loop {
                found.push(parser.or()?);
                if parser.take_sign(")") {
                    return Ok(found);
                }
                parser.expect_sign(",")?;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::cql2_text;

    fn check(text: &str, expected: &str) {
        assert_eq!(condition(text).map(|filter| cql2_text::write(&filter)).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn conditions_are_read() {
        check("\"etat\" = 'en service'", "etat = 'en service'");
        check("etat == 'l''état'", "etat = 'l''état'");
        check("\"a\" != 1 and not \"b\" is not null", "a <> 1 AND NOT NOT b IS NULL");
        check("a IN ('x', 'y') OR b NOT IN (1,2)", "a IN ('x', 'y') OR NOT b IN (1, 2)");
        check("\"nom\" ILIKE 'rue%'", "CASEI(nom) LIKE CASEI('rue%')");
        check("\"pop\" / \"ha\" >= 10.5 AND a BETWEEN 1 AND 5", "(pop / ha) >= 10.5 AND a BETWEEN 1 AND 5");
        check("lower(\"type\") = 'arbre'", "CASEI(type) = CASEI('arbre')");
        check("\"x\" IS 'a'", "x = 'a'");
        check("\"x\" IS NOT 'a'", "x IS NULL OR x <> 'a'");
        check("a > -3 -- un commentaire\n and b = true", "a > -3 AND b = TRUE");
        check("a - b * 2 ^ 3 = 4", "(a - (b * (2 ^ 3))) = 4");
    }

    #[test]
    fn what_has_no_equal_is_refused_with_its_name() {
        for (text, reason) in [
            ("length(\"nom\") > 3", "length"),
            ("@map_scale < 1000", "@"),
            ("$area > 3", "$"),
            ("\"a\" ~ '^x'", "~"),
            ("CASE WHEN a THEN 1 END", "CASE"),
            ("\"a\" = NULL", "NULL"),
            ("lower(\"type\") = 'Arbre'", "lower"),
            ("a = 'x", "guillemet"),
            ("a =", "fin"),
            ("a = 1 b", "b"),
            ("", "fin"),
            ("a LIKE b", "motif"),
        ] {
            assert!(condition(text).is_err_and(|found| found.contains(reason)), "{text}: {:?}", condition(text));
        }
        let deep = "(".repeat(10_000) + "a" + &")".repeat(10_000);
        assert!(condition(&deep).is_err());
        assert!(condition(&("-".repeat(10_000) + "1")).is_err());
    }

    #[test]
    fn the_text_of_a_label_is_pieces() {
        let field = |name: &str| Piece::Field(name.to_owned());
        let literal = |text: &str| Piece::Literal(text.to_owned());
        assert_eq!(pieces("\"nom\" || ' (' || \"insee\" || ')'"), Ok(vec![field("nom"), literal(" ("), field("insee"), literal(")")]));
        assert_eq!(pieces("concat(\"a\", to_string(\"b\"), 3)"), Ok(vec![field("a"), field("b"), literal("3")]));
        assert_eq!(pieces("coalesce(\"a\", '')"), Ok(vec![field("a")]));
        assert!(pieces("coalesce(\"a\", 'rien')").is_err());
        assert!(pieces("round(\"a\")").is_err_and(|reason| reason.contains("round")));
        assert!(pieces("\"a\" + 1").is_err());
    }
}
