//! The order of an answer, and where the next page begins: behind the values of a row, so that a page is found again however
//! often it is asked, also when that row is gone.

use crate::live::columns::Columns;
use crate::live::filter_sql::Translator;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::postgis::in_table;
use crate::query::Query;
use crate::query::filter::ID;

/// One column of an order.
struct Column {
    sql: String,
    sql_type: &'static str,
    is_descending: bool,
    is_text: bool,
}

/// What tells one row from the others.
pub enum Key {
    Number(i64),
    Text(String),
}

/// The columns that are sorted by, then the one that tells features apart.
pub struct Order {
    keys: Vec<Column>,
    key: Column,
    is_indexed: bool,
    /// The key is the feature's id.
    id_is_key: bool,
}

impl Order {
    /// `None` where nothing tells the features apart.
    pub fn of(query: &Query, columns: &Columns<'_>) -> Option<Order> {
        let key_column = columns.key()?;
        let bare = in_table(&key_column.name);
        let (sql, sql_type) = key_column.kind.key(&bare);
        let is_indexed = sql == bare;
        let key = Column {
            sql,
            sql_type,
            is_descending: false,
            // In the database's own order of texts, which the key's index has.
            is_text: false,
        };
        let keys = query.sort.iter().filter_map(|sort| {
            let (sql, sql_type, is_text) = match sort.name.as_str() {
                ID if columns.layer.id_kind == IdKind::Integer => (columns.id(), "int8", false),
                ID => (columns.id(), "text", true),
                name => {
                    let column = columns.named(name)?;
                    let is_text = column.kind.field_type() == FieldType::Text;
                    (column.kind.exact(&in_table(&column.name)), column.kind.sql_type(), is_text)
                }
            };
            Some(Column { sql, sql_type, is_descending: sort.is_descending, is_text })
        });
        Some(Order { keys: keys.collect(), key, is_indexed, id_is_key: columns.layer.id_kind == IdKind::Integer })
    }

    /// `ORDER BY`: texts by their code points, absent values last whichever way.
    pub fn clause(&self) -> String {
        let keys = self.keys.iter().map(|key| {
            let direction = if key.is_descending { "DESC" } else { "ASC" };
            format!("{}{} {direction} NULLS LAST", key.sql, collation(key))
        });
        keys.chain([self.key.sql.clone()]).collect::<Vec<_>>().join(", ")
    }

    /// Whether the key is a column as it stands, which its index knows.
    pub fn is_by_an_indexed_key(&self) -> bool {
        self.is_indexed
    }

    /// Whether it is the order of ids that are whole numbers.
    pub fn is_by_ids(&self) -> bool {
        self.is_by_whole_numbers() && self.id_is_key
    }

    /// Whether it is the order of keys that are whole numbers, and of nothing else.
    pub fn is_by_whole_numbers(&self) -> bool {
        self.keys.is_empty() && self.key.sql_type == "int8"
    }

    /// The key as `int8`.
    pub fn key_number(&self) -> String {
        format!("({})::int8", self.key.sql)
    }

    /// Of such an order, what a page begins behind.
    pub fn whole_number(&self, after: &[Option<String>]) -> Option<i64> {
        match after {
            [Some(key)] => key.parse().ok(),
            _ => None,
        }
    }

    /// The key as a text.
    pub fn key_text(&self) -> String {
        format!("({})::text", self.key.sql)
    }

    /// That a row has one of these keys.
    pub fn among<'k>(&self, keys: impl Iterator<Item = &'k Key>, translator: &mut Translator<'_>) -> String {
        let mut list = String::from("{");
        for key in keys {
            if list.len() > 1 {
                list.push(',');
            }
            match key {
                Key::Number(number) => list.push_str(itoa::Buffer::new().format(*number)),
                Key::Text(text) => {
                    list.push('"');
                    for sign in text.chars() {
                        if matches!(sign, '"' | '\\') {
                            list.push('\\');
                        }
                        list.push(sign);
                    }
                    list.push('"');
                }
            }
        }
        list.push('}');
        format!("{} = ANY ({})", self.key.sql, translator.bind(list, &format!("{}[]", self.key.sql_type)))
    }

    /// What a row is found again by, as texts; nothing where its id says it.
    pub fn values(&self) -> Vec<String> {
        if self.is_by_ids() {
            return Vec::new();
        }
        self.keys.iter().chain([&self.key]).map(|key| format!("({})::text", key.sql)).collect()
    }

    /// That a row stands behind `after`: in the first key that differs. `None` where `after` is not of this order.
    pub fn behind(&self, after: &[Option<String>], translator: &mut Translator<'_>) -> Option<String> {
        let (last, values) = after.split_last()?;
        if values.len() != self.keys.len() {
            return None;
        }
        let mut ways = Vec::new();
        let mut equal = Vec::new();
        for (key, value) in self.keys.iter().zip(values) {
            let Column { sql, sql_type, .. } = key;
            // Nothing stands behind an absent value but another one.
            let Some(value) = value else {
                equal.push(format!("{sql} IS NULL"));
                continue;
            };
            let bound = translator.bind(value, sql_type);
            let sign = if key.is_descending { "<" } else { ">" };
            let beyond = format!("({sql} {sign} {bound}{} OR {sql} IS NULL)", collation(key));
            ways.push(equal.iter().cloned().chain([beyond]).collect::<Vec<_>>().join(" AND "));
            equal.push(format!("{sql} = {bound}"));
        }
        let bound = translator.bind(last.as_deref()?, self.key.sql_type);
        ways.push(equal.into_iter().chain([format!("{} > {bound}", self.key.sql)]).collect::<Vec<_>>().join(" AND "));
        Some(format!("({})", ways.join(" OR ")))
    }
}

fn collation(key: &Column) -> &'static str {
    if key.is_text { " COLLATE \"C\"" } else { "" }
}
