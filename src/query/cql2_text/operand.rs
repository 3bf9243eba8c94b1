//! Operands of CQL2 text: literals, properties, functions and brackets.

use crate::query::cql2_text::Found;
use crate::query::cql2_text::Parser;
use crate::query::cql2_text::lexer::Token;
use crate::query::filter::Arithmetic;
use crate::query::filter::ArrayRelation;
use crate::query::filter::Filter;
use crate::query::filter::Spatial;
use crate::query::filter::Temporal;
use crate::query::filter::moment::Moment;
use crate::query::filter::shape::Shape;

/// Words that are no names of properties unless between double quotation marks.
pub const RESERVED: [&str; 11] = ["AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "TRUE", "FALSE", "DIV"];

impl Parser {
    pub fn operand(&mut self) -> Found {
        let expected = "a value, a property or a condition";
        match self.peek() {
            Some(Token::Sign("-")) => {
                self.at += 1;
                self.negative()
            }
            Some(Token::Sign("+")) if matches!(self.peek_after(), Some(Token::Number(_))) => {
                self.at += 1;
                self.operand()
            }
            Some(Token::Sign("(")) => {
                self.at += 1;
                self.brackets()
            }
            Some(Token::Word(word)) if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word)) => {
                if self.take_word("TRUE") {
                    return Ok(Filter::Boolean(true));
                }
                if self.take_word("FALSE") { Ok(Filter::Boolean(false)) } else { Err(self.unexpected(expected)) }
            }
            Some(Token::Word(_)) => self.word(),
            Some(Token::Sign(_)) | None => Err(self.unexpected(expected)),
            Some(_) => match self.next() {
                Some(Token::Text(text)) => Ok(Filter::Text(text)),
                Some(Token::Name(name)) => Ok(Filter::Property(name)),
                Some(Token::Number(text)) => number(&text, false).ok_or_else(|| format!("expected a number, found `{text}`")),
                _ => Err(self.unexpected(expected)),
            },
        }
    }

    /// Behind a minus: a number has it, anything else is taken times -1.
    fn negative(&mut self) -> Found {
        if let Some(Token::Number(text)) = self.peek().cloned() {
            self.at += 1;
            return number(&text, true).ok_or_else(|| format!("expected a number, found `-{text}`"));
        }
        let operand = self.deeper(Parser::operand)?;
        Ok(Filter::Arithmetic(Arithmetic::Multiply, Box::new(Filter::Integer(-1)), Box::new(operand)))
    }

    /// `(…)` is what it holds; with commas, or nothing in it, an array.
    fn brackets(&mut self) -> Found {
        let mut found = self.arguments()?;
        Ok(if found.len() == 1 { found.remove(0) } else { Filter::List(found) })
    }

    /// A function where a bracket follows, else a property.
    fn word(&mut self) -> Found {
        let Some(Token::Word(word)) = self.next() else { return Err(self.unexpected("a name")) };
        let upper = word.to_ascii_uppercase();
        if let Some(geometry) = self.geometry(&upper)? {
            return Ok(Filter::Shape(Shape::Written(geometry)));
        }
        if !self.take_sign("(") {
            return Ok(Filter::Property(word));
        }
        match upper.as_str() {
            "BBOX" => Ok(Filter::Shape(Shape::Box(self.deeper(Parser::numbers)?))),
            "DATE" | "TIMESTAMP" => self.moment(&upper),
            "INTERVAL" => self.two("INTERVAL").map(|(start, end)| Filter::Interval(interval_end(start), interval_end(end))),
            "CASEI" => self.one("CASEI").map(Filter::Casei),
            "ACCENTI" => self.one("ACCENTI").map(Filter::Accenti),
            _ => self.function(word),
        }
    }

    fn function(&mut self, name: String) -> Found {
        if let Some(relation) = Spatial::from_word(&name) {
            return self.two(relation.word()).map(|(a, b)| Filter::Spatial(relation, a, b));
        }
        if let Some(relation) = Temporal::from_word(&name) {
            return self.two(relation.word()).map(|(a, b)| Filter::Temporal(relation, a, b));
        }
        if let Some(relation) = ArrayRelation::from_word(&name) {
            return self.two(relation.word()).map(|(a, b)| Filter::Array(relation, a, b));
        }
        Ok(Filter::Function(name, self.arguments()?))
    }

    fn one(&mut self, name: &str) -> Result<Box<Filter>, String> {
        let mut found = self.arguments()?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(Box::new(only)),
            _ => Err(format!("expected one operand of {name}")),
        }
    }

    fn two(&mut self, name: &str) -> Result<(Box<Filter>, Box<Filter>), String> {
        let found: Result<[Filter; 2], _> = self.arguments()?.try_into();
        let [a, b] = found.map_err(|found: Vec<Filter>| format!("expected two operands of {name}, found {}", found.len()))?;
        Ok((Box::new(a), Box::new(b)))
    }

    fn moment(&mut self, function: &str) -> Found {
        let text = self.one(function)?;
        let is_date = function == "DATE";
        let wanted = if is_date { "a date such as '2026-06-30'" } else { "an instant such as '2026-06-30T10:00:00Z'" };
        match *text {
            Filter::Text(text) => {
                let moment = Moment::parse(&text).filter(|moment| moment.is_day() == is_date);
                let shown = || text.chars().take(40).collect::<String>();
                moment.map(Filter::Moment).ok_or_else(|| format!("expected {wanted} in {function}, found '{}'", shown()))
            }
            _ => Err(format!("expected {wanted} in {function}")),
        }
    }
}

/// Instants inside an interval stand as bare texts.
fn interval_end(filter: Box<Filter>) -> Box<Filter> {
    match *filter {
        Filter::Text(text) if text == ".." => Box::new(Filter::Open),
        Filter::Text(text) => Box::new(Moment::parse(&text).map_or(Filter::Text(text), Filter::Moment)),
        _ => filter,
    }
}

/// A whole number where it is written as one and fits.
pub fn number(text: &str, is_negative: bool) -> Option<Filter> {
    let signed = if is_negative { format!("-{text}") } else { text.to_owned() };
    if let Ok(whole) = signed.parse::<i64>() {
        return Some(Filter::Integer(whole));
    }
    signed.parse::<f64>().ok().filter(|number| number.is_finite()).map(Filter::Real)
}
