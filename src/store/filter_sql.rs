//! From a resolved filter to SQL with bound values, and to nothing else: no text of a client stands in a statement.
//!
//! What SQL means as the filter does is SQL, so that indexes serve it; the rest are functions that `store::functions`
//! gives SQLite. `query::evaluate` says what each must mean.

use rusqlite::types::Value as SqlValue;

use crate::geopackage::quoted;
use crate::geopackage::writer::GEOMETRY as GEOMETRY_COLUMN;
use crate::model::layer::Layer;
use crate::query::SortKey;
use crate::query::evaluate::is_mixed;
use crate::query::filter::Filter;
use crate::query::filter::GEOMETRY;
use crate::query::filter::ID;
use crate::query::filter::kind;
use crate::query::filter::kind::Kind;
use crate::query::filter::moment;
use crate::query::filter::shape::Shape;
use crate::store::functions;
use crate::store::reader::ID_COLUMN;

/// A condition, and the values of its question marks in their order.
pub fn translate(filter: &Filter, layer: &Layer) -> (String, Vec<SqlValue>) {
    let mut translator = Translator { layer, values: Vec::new() };
    let sql = translator.condition(filter);
    (sql, translator.values)
}

/// The column that a key sorts by.
pub fn sort_column(key: &SortKey, layer: &Layer) -> String {
    let translator = Translator { layer, values: Vec::new() };
    match kind::of_property(&key.name, layer) {
        Some(Kind::Instant) => call(functions::MICROS, &[translator.column(&key.name)]),
        _ => translator.column(&key.name),
    }
}

struct Translator<'a> {
    layer: &'a Layer,
    values: Vec<SqlValue>,
}

fn call(function: &str, arguments: &[String]) -> String {
    format!("{function}({})", arguments.join(", "))
}

/// Halves of halves: SQLite counts how deep an expression is, and a chain is as deep as it is long.
fn joined(parts: &[String], word: &str) -> String {
    match parts {
        [one] => one.clone(),
        parts => {
            let (first, last) = parts.split_at(parts.len() / 2);
            format!("({} {word} {})", joined(first, word), joined(last, word))
        }
    }
}

impl Translator<'_> {
    fn bind(&mut self, value: SqlValue) -> String {
        self.values.push(value);
        "?".to_owned()
    }

    fn column(&self, name: &str) -> String {
        match name {
            ID => ID_COLUMN.to_owned(),
            GEOMETRY => GEOMETRY_COLUMN.to_owned(),
            name => quoted(name),
        }
    }

    fn condition(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::And(all) => joined(&all.iter().map(|part| self.condition(part)).collect::<Vec<_>>(), "AND"),
            Filter::Or(all) => joined(&all.iter().map(|part| self.condition(part)).collect::<Vec<_>>(), "OR"),
            Filter::Not(one) => format!("(NOT {})", self.condition(one)),
            Filter::Compare(operator, a, b) => {
                let as_micros = self.are_instants(&[&**a, &**b]);
                format!("({} {} {})", self.comparable(a, as_micros), operator.word(), self.comparable(b, as_micros))
            }
            Filter::Like(text, pattern) => call(functions::LIKE, &[self.value(text), self.value(pattern)]),
            Filter::Between(value, least, greatest) => {
                let as_micros = self.are_instants(&[&**value, &**least, &**greatest]);
                let value = self.comparable(value, as_micros);
                format!("({value} BETWEEN {} AND {})", self.comparable(least, as_micros), self.comparable(greatest, as_micros))
            }
            Filter::In(value, items) => {
                let as_micros = self.are_instants(&std::iter::once(&**value).chain(items).collect::<Vec<_>>());
                let value = self.comparable(value, as_micros);
                let items: Vec<String> = items.iter().map(|item| self.comparable(item, as_micros)).collect();
                format!("({value} IN ({}))", items.join(", "))
            }
            Filter::IsNull(value) => self.is_null(value),
            Filter::Spatial(relation, a, b) => call(functions::RELATE, &[(*relation as usize).to_string(), self.value(a), self.value(b)]),
            Filter::Temporal(relation, a, b) => {
                let mixed = is_mixed(a, b, self.layer);
                let [start, end] = self.span(a, mixed);
                let [other_start, other_end] = self.span(b, mixed);
                call(functions::TIMES, &[(*relation as usize).to_string(), start, end, other_start, other_end])
            }
            value => self.value(value),
        }
    }

    fn is_null(&mut self, value: &Filter) -> String {
        match value {
            Filter::Interval(start, end) => format!("({} OR {})", self.is_null(start), self.is_null(end)),
            Filter::Open => "0".to_owned(),
            value => format!("({} IS NULL)", self.condition(value)),
        }
    }

    fn value(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Property(name) => self.column(name),
            Filter::Text(text) => self.bind(SqlValue::Text(text.clone())),
            Filter::Integer(whole) => self.bind(SqlValue::Integer(*whole)),
            Filter::Real(real) => self.bind(SqlValue::Real(*real)),
            Filter::Boolean(value) => if *value { "1" } else { "0" }.to_owned(),
            Filter::Moment(moment) => self.bind(SqlValue::Text(moment.to_string())),
            Filter::Shape(Shape::Placed(geometry)) => {
                let mut wkb = Vec::new();
                let written = ::wkb::writer::write_geometry(&mut wkb, geometry, &::wkb::writer::WriteOptions::default());
                self.bind(written.map_or(SqlValue::Null, |()| SqlValue::Blob(wkb)))
            }
            Filter::Casei(text) => call(functions::CASEI, &[self.value(text)]),
            Filter::Accenti(text) => call(functions::ACCENTI, &[self.value(text)]),
            Filter::Arithmetic(operator, a, b) => {
                call(functions::COMPUTE, &[(*operator as usize).to_string(), self.value(a), self.value(b)])
            }
            // Resolved filters hold none of these as values.
            Filter::Open | Filter::Interval(..) | Filter::Shape(_) | Filter::List(_) | Filter::Function(..) | Filter::Array(..) => {
                "NULL".to_owned()
            }
            condition => self.condition(condition),
        }
    }

    /// Whether an instant is among them: then all are microseconds. Days among themselves are texts, which sort as days do.
    fn are_instants(&self, filters: &[&Filter]) -> bool {
        filters.iter().any(|filter| kind::of(filter, self.layer) == Kind::Instant)
    }

    fn comparable(&mut self, filter: &Filter, as_micros: bool) -> String {
        if as_micros { self.micros(filter) } else { self.value(filter) }
    }

    fn micros(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Moment(moment) => self.bind(SqlValue::Integer(moment.micros())),
            other => call(functions::MICROS, &[self.value(other)]),
        }
    }

    /// First and last microsecond.
    fn span(&mut self, filter: &Filter, mixed: bool) -> [String; 2] {
        let (start, end) = match filter {
            Filter::Interval(start, end) => (&**start, &**end),
            instant => (instant, instant),
        };
        let first = if matches!(start, Filter::Open) { self.bind(SqlValue::Integer(moment::BEGINNING)) } else { self.micros(start) };
        let is_day = mixed && kind::of(end, self.layer) == Kind::Day;
        let last = match end {
            Filter::Open => self.bind(SqlValue::Integer(moment::END)),
            Filter::Moment(moment) if is_day => self.bind(SqlValue::Integer(moment::last_of_day(moment.micros()))),
            end if is_day => format!("({} + {})", self.micros(end), moment::last_of_day(0)),
            end => self.micros(end),
        };
        [first, last]
    }
}
