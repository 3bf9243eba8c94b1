//! A filter to elements, with the prefix `ogc`.

use crate::query::fes::FesVersion;
use crate::query::fes::NotUnderstood;
use crate::query::filter::Arithmetic;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::xml::Element;

type Written = Result<Element, NotUnderstood>;

/// A condition, without the `Filter` around it.
///
/// # Errors
/// What the version has no element for.
pub fn write(filter: &Filter, version: FesVersion) -> Written {
    let all = |name: &str, parts: &[Filter]| -> Written {
        let parts = parts.iter().map(|part| write(part, version)).collect::<Result<Vec<Element>, NotUnderstood>>()?;
        match <[Element; 1]>::try_from(parts) {
            Ok([only]) => Ok(only),
            Err(parts) if parts.is_empty() => Err(NotUnderstood::new(name)),
            Err(parts) => Ok(Element::new(name).with_all(parts)),
        }
    };
    match filter {
        Filter::And(parts) => all("ogc:And", parts),
        Filter::Or(parts) => all("ogc:Or", parts),
        Filter::Not(part) => Ok(Element::new("ogc:Not").with(write(part, version)?)),
        Filter::Compare(operator, a, b) => compare(*operator, a, b, version),
        Filter::Like(text, pattern) => like(text, pattern, version),
        Filter::Between(value, least, greatest) => {
            let bound = |name: &str, bound: &Filter| Ok(Element::new(name).with(write_value(bound)?));
            let value = Element::new("ogc:PropertyIsBetween").with(write_value(value)?);
            Ok(value.with(bound("ogc:LowerBoundary", least)?).with(bound("ogc:UpperBoundary", greatest)?))
        }
        Filter::In(value, items) => {
            let equal = |item: &Filter| Filter::Compare(Comparison::Equal, value.clone(), Box::new(item.clone()));
            all("ogc:Or", &items.iter().map(equal).collect::<Vec<Filter>>())
        }
        Filter::IsNull(value) => Ok(Element::new("ogc:PropertyIsNull").with(write_value(value)?)),
        Filter::Property(_) => compare(Comparison::Equal, filter, &Filter::Boolean(true), version),
        other => Err(NotUnderstood::new(kind(other))),
    }
}

fn kind(filter: &Filter) -> &str {
    match filter {
        Filter::Function(name, _) => name,
        Filter::Spatial(relation, ..) => relation.word(),
        Filter::Temporal(relation, ..) => relation.word(),
        Filter::Array(relation, ..) => relation.word(),
        Filter::Arithmetic(operator, ..) => operator.word(),
        Filter::Accenti(_) => "ACCENTI",
        Filter::Casei(_) => "CASEI",
        _ => "a value",
    }
}

fn compare(operator: Comparison, a: &Filter, b: &Filter, version: FesVersion) -> Written {
    let name = match operator {
        Comparison::Equal => "ogc:PropertyIsEqualTo",
        Comparison::NotEqual => "ogc:PropertyIsNotEqualTo",
        Comparison::Less => "ogc:PropertyIsLessThan",
        Comparison::Greater => "ogc:PropertyIsGreaterThan",
        Comparison::LessOrEqual => "ogc:PropertyIsLessThanOrEqualTo",
        Comparison::GreaterOrEqual => "ogc:PropertyIsGreaterThanOrEqualTo",
    };
    let (element, a, b) = folded(Element::new(name), a, b, version)?;
    Ok(element.with(write_value(a)?).with(write_value(b)?))
}

/// Both sides in any letter case is an attribute of the comparison, since 1.1.
fn folded<'a>(
    element: Element,
    a: &'a Filter,
    b: &'a Filter,
    version: FesVersion,
) -> Result<(Element, &'a Filter, &'a Filter), NotUnderstood> {
    match (a, b) {
        (Filter::Casei(a), Filter::Casei(b)) if version == FesVersion::V1_1 => Ok((element.with_attribute("matchCase", "false"), a, b)),
        (Filter::Casei(_), _) | (_, Filter::Casei(_)) => Err(NotUnderstood::new("CASEI")),
        _ => Ok((element, a, b)),
    }
}

fn like(text: &Filter, pattern: &Filter, version: FesVersion) -> Written {
    let (element, text, pattern) = folded(Element::new("ogc:PropertyIsLike"), text, pattern, version)?;
    let escape = if version == FesVersion::V1_0 { "escape" } else { "escapeChar" };
    let element = element.with_attribute("wildCard", "%").with_attribute("singleChar", "_").with_attribute(escape, "\\");
    match pattern {
        Filter::Text(pattern) => Ok(element.with(write_value(text)?).with(Element::text_of("ogc:Literal", pattern))),
        _ => Err(NotUnderstood::new("LIKE")),
    }
}

/// # Errors
/// What the versions have no element for.
pub fn write_value(value: &Filter) -> Written {
    let literal = |text: String| Ok(Element::text_of("ogc:Literal", text));
    match value {
        Filter::Property(name) => Ok(Element::text_of("ogc:PropertyName", name)),
        Filter::Text(text) => literal(text.clone()),
        Filter::Integer(whole) => literal(whole.to_string()),
        Filter::Real(real) => literal(real.to_string()),
        Filter::Boolean(truth) => literal(truth.to_string()),
        Filter::Moment(moment) => literal(moment.to_string()),
        Filter::Arithmetic(operator, a, b) => {
            let name = match operator {
                Arithmetic::Add => "ogc:Add",
                Arithmetic::Subtract => "ogc:Sub",
                Arithmetic::Multiply => "ogc:Mul",
                Arithmetic::Divide => "ogc:Div",
                other => return Err(NotUnderstood::new(other.word())),
            };
            Ok(Element::new(name).with(write_value(a)?).with(write_value(b)?))
        }
        other => Err(NotUnderstood::new(kind(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::cql2_text;
    use crate::query::fes;

    fn round(cql2: &str, version: FesVersion) -> Result<String, String> {
        let filter = cql2_text::parse(cql2).expect("CQL2");
        let written = write(&filter, version).map_err(|error| error.what)?;
        let read = fes::read(&Element::new("ogc:Filter").with(written)).map_err(|error| error.what)?;
        Ok(cql2_text::write(&read))
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for cql2 in [
            "nom = 'Bédée'",
            "NOT (a <> 1 OR b >= 2.5)",
            "a < 1 AND (b > 2 OR c <= 3)",
            "nom LIKE '%50\\%_'",
            "a BETWEEN 1 AND 5",
            "a + 2 * b = 4",
            "nom IS NULL",
        ] {
            assert_eq!(round(cql2, FesVersion::V1_0).as_deref(), Ok(cql2_text::write(&cql2_text::parse(cql2).expect("CQL2")).as_str()));
        }
        assert_eq!(round("nom IN ('a', 'b')", FesVersion::V1_0).as_deref(), Ok("nom = 'a' OR nom = 'b'"));
        assert_eq!(round("CASEI(nom) LIKE CASEI('a%')", FesVersion::V1_1).as_deref(), Ok("CASEI(nom) LIKE CASEI('a%')"));
    }

    #[test]
    fn what_a_version_cannot_say_is_named() {
        assert_eq!(round("CASEI(nom) = CASEI('a')", FesVersion::V1_0), Err("CASEI".to_owned()));
        assert_eq!(round("a % 2 = 0", FesVersion::V1_1), Err("%".to_owned()));
        assert_eq!(round("S_INTERSECTS(geometry, POINT(0 0))", FesVersion::V1_1), Err("S_INTERSECTS".to_owned()));
    }
}
