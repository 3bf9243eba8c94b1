//! An element of a document, whoever wrote it.

/// What lies between two tags.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Element(Element),
    Text(String),
}

/// Name as written, attributes in their order, content in its order.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Element {
    /// With its prefix, where it has one.
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub nodes: Vec<Node>,
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

impl Element {
    pub fn new(name: &str) -> Element {
        Element { name: name.to_owned(), ..Element::default() }
    }

    /// An element that holds a text.
    pub fn text_of(name: &str, text: impl Into<String>) -> Element {
        Element { nodes: vec![Node::Text(text.into())], ..Element::new(name) }
    }

    pub fn with(mut self, child: Element) -> Element {
        self.nodes.push(Node::Element(child));
        self
    }

    pub fn with_all(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.nodes.extend(children.into_iter().map(Node::Element));
        self
    }

    pub fn with_attribute(mut self, name: &str, value: impl Into<String>) -> Element {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// The name without its prefix.
    pub fn local(&self) -> &str {
        local(&self.name)
    }

    pub fn is(&self, name: &str) -> bool {
        self.local() == name
    }

    /// The first attribute of that local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| local(own) == name).map(|(_, value)| value.as_str())
    }

    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            Node::Text(_) => None,
        })
    }

    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children().filter(move |child| child.is(name))
    }

    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children().find(|child| child.is(name))
    }

    /// Down a path of local names, the first child each time.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// Its own text, without that of its children, without spaces around it.
    pub fn text(&self) -> String {
        let own = self.nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        own.collect::<String>().trim().to_owned()
    }

    /// The text of a child, `None` where there is none or it is empty.
    pub fn text_at(&self, path: &[&str]) -> Option<String> {
        self.at(path).map(Element::text).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_by_their_local_part() {
        let rule = Element::new("se:Rule").with(Element::new("se:Name").with_attribute("xml:lang", "fr"));
        assert!(rule.is("Rule") && !rule.is("se:Rule"));
        assert_eq!(rule.child("Name").and_then(|name| name.attribute("lang")), Some("fr"));
        assert_eq!(rule.text_at(&["Name"]), None);
        assert_eq!(rule.at(&["Name", "Title"]), None);
    }
}
