//! The properties of a symbol layer, in either spelling.

use crate::portrayal::colour::Colour;
use crate::portrayal::qml::Reader;
use crate::portrayal::scale::DPI;
use crate::portrayal::scale::Length;
use crate::xml::Element;

pub struct Options<'a> {
    layer: &'a Element,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    pub fn of(layer: &'a Element) -> Options<'a> {
        let map = layer.children_named("Option").flat_map(|map| map.children_named("Option"));
        let named = map.filter_map(|option| Some((option.attribute("name")?, option.attribute("value")?)));
        let old = layer.children_named("prop").filter_map(|prop| Some((prop.attribute("k")?, prop.attribute("v")?)));
        Options { layer, pairs: named.chain(old).collect() }
    }

    /// The symbol inside the symbol layer.
    pub fn inner(&self) -> Option<&'a Element> {
        self.layer.child("symbol")
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.text(name), Some("1" | "true"))
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.trim().parse().ok().filter(|value: &f64| value.is_finite())
    }

    pub fn colour(&self, name: &str, default: Colour) -> Colour {
        self.text(name).and_then(Colour::from_qgis).unwrap_or(default)
    }

    /// The length `name` in its unit `name_unit`; millimetres where none is said.
    pub fn length(&self, name: &str, default_mm: f64, reader: &mut Reader) -> Length {
        match self.number(name) {
            Some(value) => self.in_unit(value, &format!("{name}_unit"), reader),
            None => Length::millimetres(default_mm),
        }
    }

    /// A value in the unit that the property `unit` names.
    pub fn in_unit(&self, value: f64, unit: &str, reader: &mut Reader) -> Length {
        length(value, self.text(unit).unwrap_or("MM"), reader)
    }

    /// Two numbers with a comma between them: to the right, downwards.
    pub fn pair(&self, name: &str, reader: &mut Reader) -> (Length, Length) {
        let Some((x, y)) = self.text(name).and_then(|text| text.split_once(',')) else { return (Length::ZERO, Length::ZERO) };
        let unit = format!("{name}_unit");
        let mut half = |text: &str| self.in_unit(text.trim().parse().unwrap_or(0.0), &unit, reader);
        (half(x), half(y))
    }

    /// Dashes and gaps with semicolons between them.
    pub fn lengths(&self, name: &str, reader: &mut Reader) -> Vec<Length> {
        let unit = format!("{name}_unit");
        let values = self.text(name).unwrap_or_default().split(';').filter_map(|part| part.trim().parse::<f64>().ok());
        values.map(|value| self.in_unit(value, &unit, reader)).collect()
    }
}

/// In any unit of QGIS.
pub fn length(value: f64, unit: &str, reader: &mut Reader) -> Length {
    match unit {
        "Pixel" => Length::Pixels(value),
        "Point" => Length::points(value),
        "Inch" => Length::Pixels(value * DPI),
        "RenderMetersInMapUnits" => Length::GroundMetres(value),
        "MapUnit" => {
            reader.lose("les unités de carte sont lues comme des mètres au sol");
            Length::GroundMetres(value)
        }
        "MM" | "" => Length::millimetres(value),
        other => {
            reader.lose(&format!("l'unité « {other} » est inconnue, la longueur est lue en millimètres"));
            Length::millimetres(value)
        }
    }
}

/// The names of active properties that an expression or a field defines.
pub fn defined(element: &Element) -> Vec<String> {
    let map = ["data_defined_properties", "dd_properties"].into_iter().filter_map(|name| element.child(name));
    let groups = map.flat_map(|properties| properties.children_named("Option")).flat_map(|map| map.children_named("Option"));
    let properties = groups.filter(|group| group.attribute("name") == Some("properties"));
    let is_active = |property: &&Element| {
        property
            .children_named("Option")
            .any(|option| option.attribute("name") == Some("active") && option.attribute("value") == Some("true"))
    };
    properties.flat_map(Element::children).filter(is_active).filter_map(|property| property.attribute("name")).map(str::to_owned).collect()
}
