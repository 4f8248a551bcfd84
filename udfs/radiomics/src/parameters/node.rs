//! A YAML document as it stands: names in their order, whole numbers apart from others.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ParametersError;

/// Bytes that a parameter file may have.
pub(super) const LONGEST: usize = 1 << 20;

/// Lists and names within each other that a document may have.
const DEEPEST: usize = 16;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Reads a document. Nothing but comments is [`Node::Null`].
    pub(super) fn parse(text: &str) -> Result<Node, ParametersError> {
        if text.len() > LONGEST {
            return Err(ParametersError::Long(text.len()));
        }
        if text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...") {
            return Ok(Node::Null);
        }
        serde_saphyr::with_deserializer_from_str(text, |document| At { depth: 0 }.deserialize(document))
            .map_err(|error| ParametersError::Yaml(error.to_string()))
    }
}

/// How a message shows a value.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Null => write!(f, "nothing"),
            Node::Bool(value) => write!(f, "{value}"),
            Node::Whole(value) => write!(f, "{value}"),
            Node::Number(value) => write!(f, "{value}"),
            Node::Text(text) => write!(f, "'{}'", text.chars().take(60).collect::<String>()),
            Node::List(items) => write!(f, "a list of {}", items.len()),
            Node::Map(entries) => write!(f, "{} names with values", entries.len()),
        }
    }
}

/// Reads the node at a depth of the document.
#[derive(Clone, Copy)]
struct At {
    depth: usize,
}

impl At {
    fn within<E: Error>(self) -> Result<At, E> {
        let depth = self.depth + 1;
        if depth <= DEEPEST { Ok(At { depth }) } else { Err(E::custom(format!("more than {DEEPEST} levels are nested"))) }
    }
}

impl<'de> DeserializeSeed<'de> for At {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<Node, D::Error> {
        document.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value, a list or names with values")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, document: D) -> Result<Node, D::Error> {
        document.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Number(value as f64), Node::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let inner = self.within()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let inner = self.within()?;
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            entries.push((name, map.next_value_seed(inner)?));
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_values_in_their_order() {
        let found = Node::parse("b: [1, 1.0, -2, 1e-3]\na: {t: 'x', n:, e: null, f: true}\n").unwrap();
        let list = Node::List(vec![Node::Whole(1), Node::Number(1.0), Node::Whole(-2), Node::Number(1e-3)]);
        let map = [("t", Node::Text("x".into())), ("n", Node::Null), ("e", Node::Null), ("f", Node::Bool(true))];
        let map = Node::Map(map.map(|(name, value)| (name.to_string(), value)).into());
        assert_eq!(found, Node::Map(vec![("b".into(), list), ("a".into(), map)]));
        assert_eq!(Node::parse("\"1\"").unwrap(), Node::Text("1".into()));
        for nothing in ["", "# only\n", "---\n", "---\n# only\n..."] {
            assert_eq!(Node::parse(nothing).unwrap(), Node::Null, "{nothing}");
        }
    }

    #[test]
    fn what_would_not_end_is_refused() {
        assert!(Node::parse(&"[".repeat(100_000)).is_err());
        assert!(Node::parse(&format!("{}1{}", "[".repeat(20), "]".repeat(20))).unwrap_err().to_string().contains("nested"));
        assert!(matches!(Node::parse(&" ".repeat(LONGEST + 1)), Err(ParametersError::Long(_))));
        assert!(Node::parse("a: 1\na: 2").is_err());
        // Each line has nine of the one before: 9^12 nodes if all were made.
        let mut laughs = String::from("a0: &a0 [x]\n");
        for k in 1..13 {
            let before = vec![format!("*a{}", k - 1); 9].join(", ");
            laughs += &format!("a{k}: &a{k} [{before}]\n");
        }
        assert!(Node::parse(&laughs).is_err());
    }
}
