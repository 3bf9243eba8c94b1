//! From a resolved filter to PostGIS's SQL with bound values, and to nothing else: no text of a client stands in a statement.
//!
//! `query::evaluate` says what each part must mean, and a test holds this to it with thousands of filters. Truth has three
//! values. Where false and unknown both leave a row out, a comparison with a bare column stands so that its index serves it,
//! and what is no value of ours (NaN, infinity) is turned away by a condition beside it; below NOT and its like, which tell
//! false from unknown, the column's exact value stands instead.

use jiff::Timestamp;

use crate::live::arithmetic;
use crate::live::columns::Columns;
use crate::model::geometry::Envelope;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::postgis::in_table;
use crate::query::evaluate::is_mixed;
use crate::query::filter::Filter;
use crate::query::filter::GEOMETRY;
use crate::query::filter::ID;
use crate::query::filter::Spatial;
use crate::query::filter::Temporal;
use crate::query::filter::fold;
use crate::query::filter::kind;
use crate::query::filter::kind::Kind;
use crate::query::filter::moment::Moment;
use crate::query::filter::reach;
use crate::query::filter::shape::Shape;

/// Adds to one statement: each value gets the next number.
pub struct Translator<'a> {
    columns: &'a Columns<'a>,
    pub values: Vec<String>,
    /// Whether false and unknown are told apart here.
    is_exact: bool,
    /// Conditions beside the comparison under way.
    guards: Vec<String>,
}

impl<'a> Translator<'a> {
    pub fn new(columns: &'a Columns<'a>) -> Translator<'a> {
        Translator { columns, values: Vec::new(), is_exact: false, guards: Vec::new() }
    }

    /// `sql_type`: what the text is read as.
    pub fn bind(&mut self, value: impl Into<String>, sql_type: &str) -> String {
        self.values.push(value.into());
        format!("${}::{sql_type}", self.values.len())
    }

    /// A geometry of these bytes (little-endian, two dimensions), bound as one: a function of what is bound would be computed
    /// for every row.
    pub fn shape(&mut self, wkb: &[u8], srid: i32) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        // PostGIS's own form: a flag beside the kind says that the SRID follows it.
        const HAS_SRID: u8 = 0x20;
        let (head, rest) = wkb.split_at(wkb.len().min(5));
        let mut bytes = [head, &srid.to_le_bytes(), rest].concat();
        if let Some(kind) = bytes.get_mut(4) {
            *kind |= HAS_SRID;
        }
        let hex = bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]).map(char::from);
        self.bind(hex.collect::<String>(), "geometry")
    }

    pub fn condition(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::And(all) => self.joined(all, " AND "),
            Filter::Or(all) => self.joined(all, " OR "),
            Filter::Not(one) => format!("(NOT {})", self.exactly(|own| own.condition(one))),
            Filter::Compare(operator, a, b) => self.guarded(|own| own.compare(operator.word(), a, b)),
            Filter::Like(text, pattern) => {
                let text = self.value(text);
                format!("({text} LIKE {} COLLATE \"C\")", self.pattern(pattern))
            }
            Filter::Between(value, least, greatest) => self.guarded(|own| {
                let (least, greatest) = (own.compare(">=", value, least), own.compare("<=", value, greatest));
                format!("({least} AND {greatest})")
            }),
            Filter::In(value, items) => {
                let each: Vec<String> = items.iter().map(|item| self.guarded(|own| own.compare("=", value, item))).collect();
                format!("({})", each.join(" OR "))
            }
            Filter::IsNull(value) => self.exactly(|own| own.is_null(value)),
            Filter::Spatial(relation, a, b) => self.spatial(*relation, a, b),
            Filter::Temporal(relation, a, b) => self.temporal(*relation, a, b),
            value => self.value(value),
        }
    }

    fn joined(&mut self, all: &[Filter], word: &str) -> String {
        let parts: Vec<String> = all.iter().map(|part| self.condition(part)).collect();
        if parts.is_empty() { "NULL::bool".to_owned() } else { format!("({})", parts.join(word)) }
    }

    fn exactly<T>(&mut self, translate: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_exact, true);
        let translated = translate(self);
        self.is_exact = before;
        translated
    }

    /// A comparison, and what its bare columns need beside it.
    fn guarded(&mut self, compare: impl FnOnce(&mut Self) -> String) -> String {
        let outer = std::mem::take(&mut self.guards);
        let compared = compare(self);
        let guards = std::mem::replace(&mut self.guards, outer);
        if guards.is_empty() { compared } else { format!("({compared} AND {})", guards.join(" AND ")) }
    }

    /// A column as a comparison takes it.
    fn side(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Property(name) if !self.is_exact => match self.columns.named(name) {
                Some(column) => {
                    let bare = in_table(&column.name);
                    self.guards.extend(column.kind.guard(&bare).filter(|guard| !self.guards.contains(guard)));
                    column.kind.plain(&bare)
                }
                None => self.value(filter),
            },
            other => self.exactly(|own| own.value(other)),
        }
    }

    fn compare(&mut self, operator: &str, a: &Filter, b: &Filter) -> String {
        match (self.kind(a), self.kind(b)) {
            (Kind::Text, _) => {
                let (a, b) = (self.side(a), self.side(b));
                // Two texts are equal by their signs in every order; which comes first is said by code points.
                let order = if matches!(operator, "=" | "<>") { "" } else { " COLLATE \"C\"" };
                format!("({a} {operator} {b}{order})")
            }
            (Kind::Number, _) => self.compare_numbers(operator, a, b),
            (Kind::Boolean, _) => {
                let (a, b) = self.exactly(|own| (own.condition(a), own.condition(b)));
                format!("({a} {operator} {b})")
            }
            // Days, instants with a zone and instants without compare as instants of UTC, which is the session's zone.
            _ => {
                let (a, b) = (self.side(a), self.side(b));
                format!("({a} {operator} {b})")
            }
        }
    }

    fn kind(&self, filter: &Filter) -> Kind {
        kind::of(filter, self.columns.layer)
    }

    /// Exactly, also where a double holds no longer every whole number.
    fn compare_numbers(&mut self, operator: &str, a: &Filter, b: &Filter) -> String {
        let (whole_a, whole_b) = (self.is_whole(a), self.is_whole(b));
        if whole_a == whole_b {
            let (a, b) = (self.side(a), self.side(b));
            return format!("({a} {operator} {b})");
        }
        if whole_b {
            return self.compare_numbers(mirrored(operator), b, a);
        }
        match (a, b) {
            (Filter::Integer(whole), other) if whole.unsigned_abs() <= EXACT_MAX => {
                let whole = self.bind(whole.to_string(), "float8");
                let other = self.side(other);
                format!("({whole} {operator} {other})")
            }
            (other, Filter::Real(real)) => {
                let other = self.side(other);
                arithmetic::whole_against(&other, operator, *real)
            }
            (whole, real) => {
                let (whole, real) = (self.side(whole), self.side(real));
                arithmetic::whole_and_real(&whole, operator, &real)
            }
        }
    }

    fn is_whole(&self, filter: &Filter) -> bool {
        match filter {
            Filter::Integer(_) => true,
            Filter::Property(name) if name == ID => self.columns.layer.id_kind == IdKind::Integer,
            Filter::Property(name) => self.columns.named(name).is_some_and(|column| column.kind.field_type() == FieldType::Integer),
            _ => false,
        }
    }

    fn is_null(&mut self, value: &Filter) -> String {
        match value {
            Filter::Interval(start, end) => format!("({} OR {})", self.is_null(start), self.is_null(end)),
            Filter::Open => "FALSE".to_owned(),
            Filter::Property(name) if name == GEOMETRY => {
                let column = self.columns.indexed();
                format!("({column} IS NULL OR ST_IsEmpty({column}))")
            }
            value => format!("({} IS NULL)", self.condition(value)),
        }
    }

    pub fn value(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Property(name) => self.property(name),
            Filter::Text(text) => self.bind(text, "text"),
            Filter::Integer(whole) => self.bind(whole.to_string(), "int8"),
            Filter::Real(real) => self.bind(format!("{real:?}"), "float8"),
            Filter::Boolean(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            Filter::Moment(Moment::Day(day)) => self.bind(day.to_string(), "date"),
            Filter::Moment(moment) => match Timestamp::from_microsecond(moment.micros()) {
                Ok(instant) => self.bind(instant.to_string(), "timestamptz"),
                Err(_) => "NULL::timestamptz".to_owned(),
            },
            Filter::Shape(Shape::Placed(geometry)) => {
                let mut wkb = Vec::new();
                match ::wkb::writer::write_geometry(&mut wkb, geometry, &::wkb::writer::WriteOptions::default()) {
                    Ok(()) => self.shape(&wkb, 4326),
                    Err(_) => "NULL::geometry".to_owned(),
                }
            }
            Filter::Casei(text) => match folded(filter) {
                Some(literal) => self.bind(literal, "text"),
                None => arithmetic::casei(&self.value(text)),
            },
            Filter::Accenti(text) => match folded(filter) {
                Some(literal) => self.bind(literal, "text"),
                None => arithmetic::accenti(&self.value(text)),
            },
            Filter::Arithmetic(operator, a, b) => {
                let (a, b) = self.exactly(|own| (own.value(a), own.value(b)));
                arithmetic::compute(*operator, &a, &b)
            }
            // Resolved filters hold none of these as values.
            Filter::Open | Filter::Interval(..) | Filter::Shape(_) | Filter::List(_) | Filter::Function(..) | Filter::Array(..) => {
                "NULL".to_owned()
            }
            condition => self.condition(condition),
        }
    }

    fn property(&self, name: &str) -> String {
        match name {
            ID => self.columns.id(),
            GEOMETRY => self.columns.geometry(),
            name => self.columns.named(name).map_or_else(|| "NULL".to_owned(), |column| column.kind.exact(&in_table(&column.name))),
        }
    }

    /// PostgreSQL refuses a pattern that ends in a lone backslash; here it means itself.
    fn pattern(&mut self, filter: &Filter) -> String {
        match folded(filter) {
            Some(literal) => {
                let backslashes = literal.chars().rev().take_while(|sign| *sign == '\\').count();
                let literal = if backslashes % 2 == 1 { format!("{literal}\\") } else { literal };
                self.bind(literal, "text")
            }
            None => {
                let pattern = self.value(filter);
                format!("regexp_replace({pattern}, '(^|[^\\\\])((?:\\\\\\\\)*)\\\\$', '\\1\\2\\\\\\\\')")
            }
        }
    }

    fn spatial(&mut self, relation: Spatial, a: &Filter, b: &Filter) -> String {
        let function = match relation {
            Spatial::Intersects => "ST_Intersects",
            Spatial::Equals => "ST_Equals",
            Spatial::Disjoint => "ST_Disjoint",
            Spatial::Touches => "ST_Touches",
            Spatial::Within => "ST_Within",
            Spatial::Overlaps => "ST_Overlaps",
            Spatial::Crosses => "ST_Crosses",
            Spatial::Contains => "ST_Contains",
        };
        let exact = format!("{function}({}, {})", self.value(a), self.value(b));
        // Beside it, what the spatial index knows: where the two can meet at all.
        let near = reach::boxes(&Filter::Spatial(relation, Box::new(a.clone()), Box::new(b.clone())))
            .filter(|_| !self.is_exact)
            .and_then(|boxes| self.near(&boxes));
        near.map_or_else(|| exact.clone(), |near| format!("({near} AND {exact})"))
    }

    /// Whether the geometry's box meets one of these boxes in lon, lat; `None` where that cannot be said.
    fn near(&mut self, boxes: &[Envelope]) -> Option<String> {
        let columns = self.columns;
        let column = columns.indexed();
        let each: Option<Vec<String>> = boxes
            .iter()
            .map(|envelope| Some(format!("{column} && {}", columns.envelope(&columns.placed(envelope)?.around, self))))
            .collect();
        each.map(|each| format!("({})", each.join(" OR ")))
    }

    fn temporal(&mut self, relation: Temporal, a: &Filter, b: &Filter) -> String {
        let mixed = is_mixed(a, b, self.columns.layer);
        let simple = |filter: &Filter| !matches!(filter, Filter::Interval(..));
        if simple(a) && simple(b) && !mixed {
            let operator = match relation {
                Temporal::After => ">",
                Temporal::Before => "<",
                Temporal::Disjoint => "<>",
                _ => "=",
            };
            return self.guarded(|own| own.compare(operator, a, b));
        }
        let (s, e) = self.exactly(|own| own.span(a, mixed));
        let (os, oe) = self.exactly(|own| own.span(b, mixed));
        let holds = match relation {
            Temporal::After => "s > oe",
            Temporal::Before => "e < os",
            Temporal::Disjoint => "s > oe OR e < os",
            Temporal::Intersects => "s <= oe AND e >= os",
            Temporal::Equals => "s = os AND e = oe",
            Temporal::Contains => "s < os AND e > oe",
            Temporal::During => "s > os AND e < oe",
            Temporal::FinishedBy => "s < os AND e = oe",
            Temporal::Finishes => "s > os AND e = oe",
            Temporal::Meets => "e = os",
            Temporal::MetBy => "s = oe",
            Temporal::OverlappedBy => "s > os AND s < oe AND e > oe",
            Temporal::Overlaps => "s < os AND e > os AND e < oe",
            Temporal::StartedBy => "s = os AND e > oe",
            Temporal::Starts => "s = os AND e < oe",
        };
        // Unknown where an end is absent that the relation does not even look at.
        format!(
            "(SELECT CASE WHEN s IS NOT NULL AND e IS NOT NULL AND os IS NOT NULL AND oe IS NOT NULL THEN {holds} END \
             FROM (VALUES ({s}, {e}, {os}, {oe})) AS spans(s, e, os, oe))"
        )
    }

    /// First and last instant, as `timestamptz`.
    fn span(&mut self, filter: &Filter, mixed: bool) -> (String, String) {
        let (start, end) = match filter {
            Filter::Interval(start, end) => (&**start, &**end),
            instant => (instant, instant),
        };
        let first = if matches!(start, Filter::Open) { "'-infinity'".to_owned() } else { self.value(start) };
        let last = match end {
            Filter::Open => "'infinity'".to_owned(),
            end if mixed && self.kind(end) == Kind::Day => {
                format!("({} + interval '1 day' - interval '1 microsecond')", self.value(end))
            }
            end => self.value(end),
        };
        (format!("{first}::timestamptz"), format!("{last}::timestamptz"))
    }
}

/// Beyond, a double does not hold every whole number.
const EXACT_MAX: u64 = 1 << 53;

fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        same => same,
    }
}

/// The text that a literal, folded or not, is worth.
fn folded(filter: &Filter) -> Option<String> {
    match filter {
        Filter::Text(text) => Some(text.clone()),
        Filter::Casei(text) => folded(text).map(|text| fold::casei(&text)),
        Filter::Accenti(text) => folded(text).map(|text| fold::accenti(&text)),
        _ => None,
    }
}
