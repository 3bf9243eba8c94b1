//! Well-known text inside CQL2 text (OGC 06-103r4 §7, rule `spatialInstance`), positions of two or three numbers.

use geojson::GeometryValue;
use geojson::Position;

use crate::query::cql2_text::Parser;
use crate::query::cql2_text::lexer::Token;
use crate::query::cql2_text::operand::number;
use crate::query::filter::Filter;

const TYPES: [&str; 7] = ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"];

impl Parser {
    /// Behind the name of a type; `None` where it is no geometry but a property of that name.
    pub fn geometry(&mut self, upper: &str) -> Result<Option<GeometryValue>, String> {
        let plain = upper.strip_suffix('Z').unwrap_or(upper);
        let is_followed = |parser: &Parser| match parser.peek() {
            Some(Token::Sign("(")) => true,
            Some(Token::Word(z)) => z.eq_ignore_ascii_case("Z") && parser.peek_after() == Some(&Token::Sign("(")),
            _ => false,
        };
        if !TYPES.contains(&plain) || !is_followed(self) {
            return Ok(None);
        }
        self.take_word("Z");
        self.expect_sign("(")?;
        self.deeper(|parser| parser.inside(plain)).map(Some)
    }

    fn inside(&mut self, name: &str) -> Result<GeometryValue, String> {
        Ok(match name {
            "POINT" => {
                let coordinates = self.position()?;
                self.expect_sign(")")?;
                GeometryValue::Point { coordinates }
            }
            "LINESTRING" => GeometryValue::LineString { coordinates: self.list(Parser::position)? },
            "POLYGON" => GeometryValue::Polygon { coordinates: self.list(Parser::ring)? },
            "MULTIPOINT" => GeometryValue::MultiPoint { coordinates: self.list(Parser::point_of_many)? },
            "MULTILINESTRING" => GeometryValue::MultiLineString { coordinates: self.list(Parser::ring)? },
            "MULTIPOLYGON" => GeometryValue::MultiPolygon { coordinates: self.list(Parser::area)? },
            _ => GeometryValue::GeometryCollection { geometries: self.list(Parser::member)? },
        })
    }

    /// Parts with commas between them, to the closing bracket.
    fn list<T>(&mut self, part: fn(&mut Parser) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut found = vec![part(self)?];
        while self.take_sign(",") {
            found.push(part(self)?);
        }
        self.expect_sign(")")?;
        Ok(found)
    }

    fn ring(&mut self) -> Result<Vec<Position>, String> {
        self.expect_sign("(")?;
        self.list(Parser::position)
    }

    fn area(&mut self) -> Result<Vec<Vec<Position>>, String> {
        self.expect_sign("(")?;
        self.list(Parser::ring)
    }

    /// `(1 2)`, or `1 2` as older texts have it.
    fn point_of_many(&mut self) -> Result<Position, String> {
        let is_bracketed = self.take_sign("(");
        let position = self.position()?;
        if is_bracketed {
            self.expect_sign(")")?;
        }
        Ok(position)
    }

    fn member(&mut self) -> Result<geojson::Geometry, String> {
        let expected = "a geometry";
        let Some(Token::Word(word)) = self.peek().cloned() else { return Err(self.unexpected(expected)) };
        self.at += 1;
        let value = self.geometry(&word.to_ascii_uppercase())?;
        value.map(geojson::Geometry::new).ok_or_else(|| self.unexpected(expected))
    }

    fn position(&mut self) -> Result<Position, String> {
        let mut numbers = vec![self.coordinate()?, self.coordinate()?];
        if matches!(self.peek(), Some(Token::Number(_) | Token::Sign("-" | "+"))) {
            numbers.push(self.coordinate()?);
        }
        Ok(Position::from(numbers))
    }

    fn coordinate(&mut self) -> Result<f64, String> {
        let is_negative = self.take_sign("-");
        if !is_negative {
            self.take_sign("+");
        }
        let Some(Token::Number(text)) = self.peek().cloned() else { return Err(self.unexpected("a number")) };
        self.at += 1;
        match number(&text, is_negative) {
            // Minus zero is no whole number.
            Some(Filter::Integer(0)) if is_negative => Ok(-0.0),
            Some(Filter::Integer(whole)) => Ok(whole as f64),
            Some(Filter::Real(number)) => Ok(number),
            _ => Err(format!("expected a number, found `{text}`")),
        }
    }

    /// Numbers with commas between them, to the closing bracket.
    pub fn numbers(&mut self) -> Result<Vec<f64>, String> {
        self.list(Parser::coordinate)
    }
}
