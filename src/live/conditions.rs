//! Which rows a question means.

use std::fmt::Write;

use jiff::Timestamp;

use crate::live::columns::Columns;
use crate::live::filter_sql::Translator;
use crate::model::geometry::Envelope;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::postgis::ColumnKind;
use crate::postgis::in_table;
use crate::query::Query;
use crate::query::datetime::Interval;
use crate::query::filter::Filter;
use crate::query::filter::ID;
use crate::query::filter::Spatial;
use crate::query::filter::moment;
use crate::query::filter::shape::Shape;

/// Conditions that all must hold; `None` where a value cannot be one of its field's: nothing matches.
pub fn of(query: &Query, rows: Option<&Filter>, columns: &Columns<'_>, translator: &mut Translator<'_>) -> Option<Vec<String>> {
    let mut all = vec![published(rows, columns, translator)];
    for (name, text) in &query.equals {
        all.push(equal(name, text, columns, translator)?);
    }
    if let Some(interval) = &query.datetime {
        all.extend(meets(interval, columns, translator));
    }
    if !query.bbox.is_empty() {
        let boxes: Vec<String> = query.bbox.iter().map(|envelope| in_box(envelope, columns, translator)).collect();
        all.push(format!("({})", boxes.join(" OR ")));
    }
    if let Some(area) = &query.area {
        let area = Filter::Shape(Shape::Placed(geo_types::Geometry::MultiPolygon((**area).clone())));
        let geometry = Filter::property(crate::query::filter::GEOMETRY);
        all.push(translator.condition(&Filter::Spatial(Spatial::Intersects, Box::new(geometry), Box::new(area))));
    }
    if let Some(filter) = &query.filter {
        all.push(translator.condition(filter));
    }
    Some(all)
}

/// The rows that go out at all: those of the officer's `where` that have an id.
pub fn published(rows: Option<&Filter>, columns: &Columns<'_>, translator: &mut Translator<'_>) -> String {
    let has_id = columns.key().map_or_else(|| "FALSE".to_owned(), |key| format!("{} IS NOT NULL", in_table(&key.name)));
    match rows {
        Some(rows) => format!("{has_id} AND {}", translator.condition(rows)),
        None => has_id,
    }
}

/// Whether a field, or the id, has the value that a text writes.
pub fn equal(name: &str, text: &str, columns: &Columns<'_>, translator: &mut Translator<'_>) -> Option<String> {
    let is_id = name == ID;
    let column = if is_id { columns.key()? } else { columns.named(name)? };
    let bare = in_table(&column.name);
    let kind = column.kind;
    let trimmed = text.trim();
    let as_text = |translator: &mut Translator<'_>| format!("{}::text = {}", kind.exact(&bare), translator.bind(text, "text"));
    if is_id && columns.layer.id_kind == IdKind::Text && !matches!(kind.field_type(), FieldType::Text | FieldType::Integer) {
        return Some(as_text(translator));
    }
    if kind == ColumnKind::Uuid {
        let is_written_so = text.len() == 36 && text.bytes().all(|sign| sign == b'-' || matches!(sign, b'0'..=b'9' | b'a'..=b'f'));
        let hyphens = [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
        return (is_written_so && hyphens && text.matches('-').count() == 4)
            .then(|| format!("({bare} = {})", translator.bind(text, "uuid")));
    }
    let (value, sql_type) = match kind.field_type() {
        FieldType::Text => (text.to_owned(), "text"),
        FieldType::Integer => (trimmed.parse::<i64>().ok().filter(|whole| !is_id || whole.to_string() == text)?.to_string(), "int8"),
        FieldType::Real => (format!("{:?}", trimmed.parse::<f64>().ok().filter(|real| real.is_finite())?), "float8"),
        FieldType::Boolean => match text {
            "true" | "1" => ("true".to_owned(), "bool"),
            "false" | "0" => ("false".to_owned(), "bool"),
            _ => return None,
        },
        FieldType::Date => (text.parse::<jiff::civil::Date>().ok()?.to_string(), "date"),
        // As it is answered: with a zone where the column has one, and only then.
        FieldType::DateTime => {
            let has_zone = text.ends_with('Z');
            if has_zone != (kind == ColumnKind::TimestampZone) {
                return None;
            }
            let micros = moment::micros_of(text)?;
            (Timestamp::from_microsecond(micros).ok()?.to_string(), if has_zone { "timestamptz" } else { "timestamp" })
        }
    };
    let guard = kind.guard(&bare).map(|guard| format!(" AND {guard}")).unwrap_or_default();
    Some(format!("({} = {}{guard})", kind.plain(&bare), translator.bind(value, sql_type)))
}

/// `datetime` (`query::datetime::Interval::meets`); nothing where the layer has no time.
fn meets(interval: &Interval, columns: &Columns<'_>, translator: &mut Translator<'_>) -> Option<String> {
    let (first, last) = (columns.layer.time_fields.first()?, columns.layer.time_fields.last()?);
    let moments =
        |name: &str| columns.named(name).filter(|column| matches!(column.kind.field_type(), FieldType::Date | FieldType::DateTime));
    let (Some(start), Some(end)) = (moments(first), moments(last)) else { return Some("FALSE".to_owned()) };
    let (start_sql, end_sql) = (start.kind.exact(&in_table(&start.name)), end.kind.exact(&in_table(&end.name)));
    let mut sql = format!("({start_sql} IS NOT NULL OR {end_sql} IS NOT NULL)");
    let nanoseconds = |text: &String| text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond);
    let micros = |nanoseconds: i128| Timestamp::from_microsecond(i64::try_from(nanoseconds).ok()?).ok().map(|instant| instant.to_string());
    let mut side = |column: &crate::postgis::Column, exact: &str, sign: &str, bound: String, translator: &mut Translator<'_>| {
        let mut bound = translator.bind(bound, "timestamptz");
        let mut sign = sign.to_owned();
        // A day meets what comes before its end.
        if sign == ">=" && column.kind == ColumnKind::Date {
            (sign, bound) = (">".to_owned(), format!("({bound} - interval '1 day')"));
        }
        let bare = in_table(&column.name);
        let _ = if first == last {
            let guard = column.kind.guard(&bare).unwrap_or_else(|| "TRUE".to_owned());
            write!(sql, " AND {bare} {sign} {bound} AND {guard}")
        } else {
            write!(sql, " AND ({exact} IS NULL OR {exact} {sign} {bound})")
        };
    };
    if let Some(to) = interval.end.as_ref().and_then(nanoseconds).and_then(|to| micros(to.div_euclid(1000))) {
        side(start, &start_sql, "<=", to, translator);
    }
    if let Some(from) = interval.start.as_ref().and_then(nanoseconds).and_then(|from| micros((from + 999).div_euclid(1000))) {
        side(end, &end_sql, ">=", from, translator);
    }
    Some(format!("({sql})"))
}

/// Whether the geometry meets the box (touching counts). The index finds what comes near; what lies well inside is sure; what
/// lies on the edge is looked at, against the image of the box in the table's own CRS, because one polygon costs less to
/// transform than a row of them.
pub fn in_box(envelope: &Envelope, columns: &Columns<'_>, translator: &mut Translator<'_>) -> String {
    let Envelope { west, south, east, north } = envelope;
    let column = columns.indexed();
    // A box without an inside is a line, or a point.
    match columns.placed(envelope).filter(|_| west < east && south < north) {
        None => format!("ST_Intersects({}, ST_MakeEnvelope({west:?}, {south:?}, {east:?}, {north:?}, 4326))", columns.geometry()),
        Some(placed) => {
            let near = format!("{column} && {}", columns.envelope(&placed.around, translator));
            let meets = format!("ST_Intersects({}, {})", columns.related(), translator.shape(&placed.image, columns.srid()));
            match placed.inside {
                Some(inside) => format!("({near} AND ({column} @ {} OR {meets}))", columns.envelope(&inside, translator)),
                None => format!("({near} AND {meets})"),
            }
        }
    }
}
