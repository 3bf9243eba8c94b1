//! Well-known text, version 1, as a tree (OGC 01-009 §7).

/// Deeper than any CRS: a hostile text must not exhaust the stack.
const NESTING_MAX: usize = 12;

/// `KEYWORD["name", 1.0, CHILD[…]]`.
#[derive(Debug, Default)]
pub struct Node {
    /// In capitals.
    pub keyword: String,
    /// The first text or bare word.
    pub name: String,
    pub texts: Vec<String>,
    pub numbers: Vec<f64>,
    /// The second argument of AUTHORITY, quoted or not.
    pub code: Option<u32>,
    pub children: Vec<Node>,
}

impl Node {
    pub fn child(&self, keyword: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.keyword == keyword)
    }

    /// The first PARAMETER of one of these names, in any case.
    pub fn parameter(&self, names: &[&str]) -> Option<f64> {
        let named = |child: &&Node| child.keyword == "PARAMETER" && names.iter().any(|name| child.name.eq_ignore_ascii_case(name));
        self.children.iter().find(named).and_then(|child| child.numbers.first().copied())
    }

    /// Whether an EXTENSION says `word`.
    pub fn says(&self, word: &str) -> bool {
        self.children.iter().any(|child| child.keyword == "EXTENSION" && child.texts.iter().any(|text| text.contains(word)))
    }
}

/// `None` where brackets, quotes or commas do not fit.
pub fn parse(text: &str) -> Option<Node> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}').trim() };
    let node = reader.node(0)?;
    reader.rest.trim().is_empty().then_some(node)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn eat(&mut self, signs: &[char]) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(signs) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> String {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|sign: char| "[](),\"".contains(sign) || sign.is_whitespace()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn node(&mut self, depth: usize) -> Option<Node> {
        let keyword = self.word().to_ascii_uppercase();
        let mut node = Node { keyword, ..Node::default() };
        if node.keyword.is_empty() || !self.eat(&['[', '(']) {
            return None;
        }
        loop {
            self.argument(&mut node, depth)?;
            if self.eat(&[',']) {
                continue;
            }
            node.name = node.texts.first().cloned().unwrap_or_default();
            return self.eat(&[']', ')']).then_some(node);
        }
    }

    fn argument(&mut self, node: &mut Node, depth: usize) -> Option<()> {
        if self.eat(&['"']) {
            let (text, rest) = self.rest.split_once('"')?;
            self.rest = rest;
            node.code = node.code.or_else(|| text.parse().ok());
            node.texts.push(text.to_owned());
            return Some(());
        }
        let before = self.rest;
        let word = self.word();
        if word.is_empty() {
            return None;
        }
        if self.rest.trim_start().starts_with(['[', '(']) {
            self.rest = before;
            if depth >= NESTING_MAX {
                return None;
            }
            let child = self.node(depth + 1)?;
            node.children.push(child);
        } else if let Ok(number) = word.parse::<f64>() {
            node.code = node.code.or_else(|| word.parse().ok());
            node.numbers.push(number);
        } else {
            node.texts.push(word);
        }
        Some(())
    }
}
