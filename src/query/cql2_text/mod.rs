//! CQL2 text (`/req/cql2-text`, OGC 21-065r2 annex B): read into a [`Filter`], and written from one.
//!
//! One grammar for conditions and values, from the loosest to the tightest: `OR`, `AND`, `NOT`, a predicate, sums,
//! products, powers, an operand. Whether an operand makes sense where it stands is for `filter::resolve`.

mod geometry;
mod lexer;
mod operand;
mod writer;

use crate::query::cql2_text::lexer::Token;
pub use crate::query::cql2_text::writer::write;
use crate::query::filter::Arithmetic;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::query::filter::cost;

/// # Errors
/// What was expected, and where, for the client.
pub fn parse(text: &str) -> Result<Filter, String> {
    if text.len() > cost::LENGTH_MAX {
        return Err(format!("expected at most {} bytes, found {}", cost::LENGTH_MAX, text.len()));
    }
    let mut parser = Parser { tokens: lexer::tokens(text)?, at: 0, depth: 0, length: text.len() };
    let filter = parser.or()?;
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.unexpected("the end, AND or OR")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    /// Brackets that are open.
    depth: usize,
    length: usize,
}

type Found = Result<Filter, String>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn peek_after(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn unexpected(&self, expected: &str) -> String {
        let at = self.tokens.get(self.at).map_or(self.length, |(at, _)| *at) + 1;
        let found = self.peek().map_or_else(|| "the end".to_owned(), |token| format!("`{}`", token.shown()));
        format!("expected {expected} at byte {at}, found {found}")
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), String> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn expect_word(&mut self, word: &str) -> Result<(), String> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    /// Everything that opens a bracket goes through here, so that no text exhausts the stack.
    fn deeper<T>(&mut self, inside: impl FnOnce(&mut Parser) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > cost::DEPTH_MAX {
            return Err(format!("expected at most {} expressions inside one another", cost::DEPTH_MAX));
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
        let left = self.sum()?;
        if let Some(Token::Sign(sign)) = self.peek()
            && let Some(operator) = Comparison::from_word(sign)
        {
            self.at += 1;
            return Ok(Filter::Compare(operator, Box::new(left), Box::new(self.sum()?)));
        }
        if self.take_word("IS") {
            let is_negated = self.take_word("NOT");
            self.expect_word("NULL")?;
            return Ok(negated(is_negated, Filter::IsNull(Box::new(left))));
        }
        let is_negated = self.is_word("NOT") && matches!(self.peek_after(), Some(Token::Word(_)));
        self.at += usize::from(is_negated);
        let found = if self.take_word("LIKE") {
            Filter::Like(Box::new(left), Box::new(self.sum()?))
        } else if self.take_word("BETWEEN") {
            let least = self.sum()?;
            self.expect_word("AND")?;
            Filter::Between(Box::new(left), Box::new(least), Box::new(self.sum()?))
        } else if self.take_word("IN") {
            self.expect_sign("(")?;
            Filter::In(Box::new(left), self.arguments()?)
        } else if is_negated {
            return Err(self.unexpected("LIKE, BETWEEN or IN"));
        } else {
            return Ok(left);
        };
        Ok(negated(is_negated, found))
    }

    fn sum(&mut self) -> Found {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Sign("+")) => Arithmetic::Add,
                Some(Token::Sign("-")) => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Filter::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Found {
        let mut left = self.power()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Sign("*")) => Arithmetic::Multiply,
                Some(Token::Sign("/")) => Arithmetic::Divide,
                Some(Token::Sign("%")) => Arithmetic::Remainder,
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("div") => Arithmetic::WholeDivide,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Filter::Arithmetic(operator, Box::new(left), Box::new(self.power()?));
        }
    }

    fn power(&mut self) -> Found {
        let base = self.operand()?;
        if !self.take_sign("^") {
            return Ok(base);
        }
        Ok(Filter::Arithmetic(Arithmetic::Power, Box::new(base), Box::new(self.operand()?)))
    }

    /// What stands between brackets, the first of which is taken: expressions with commas between them.
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
                if !parser.take_sign(",") {
                    return Err(parser.unexpected("`,` or `)`"));
                }
            }
        })
    }
}

fn negated(is_negated: bool, filter: Filter) -> Filter {
    if is_negated { Filter::Not(Box::new(filter)) } else { filter }
}
