//! Named properties in order, as objects and ECMA arrays hold them.

use std::collections::HashSet;

use crate::Value;

/// Properties in the order they were written; a key occurs once.
///
/// Order is part of equality, as the wire has one. Looking a key up walks the properties, which is
/// quicker than hashing for the handful that commands and metadata have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// An object without properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// The object with one property more: [`insert`](Self::insert) for building in one expression.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// Sets `key` and puts it last, also when it was there before; returns what it was before.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let key = key.into();
        let previous = self.remove(&key);
        self.0.push((key, value.into()));
        previous
    }

    /// Takes `key` out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(index).1)
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> + ExactSizeIterator {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The number of properties.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no properties.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Object {
    /// Of properties with the same key the last one stays, where it stands.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(properties: I) -> Self {
        let mut properties: Vec<(String, Value)> = properties
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();

        // Inserting one by one would compare every key with every other: with the thousands of
        // properties that a peer may send in one message that is milliseconds, this is not.
        let mut seen = HashSet::with_capacity(properties.len());
        let mut stays: Vec<bool> = properties
            .iter()
            .rev()
            .map(|(key, _)| seen.insert(key.as_str()))
            .collect();
        if seen.len() < properties.len() {
            properties.retain(|_| stays.pop().unwrap_or(true));
        }
        Self(properties)
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(object: &Object) -> Vec<&str> {
        object.iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn properties_keep_the_order_in_which_they_came() {
        let object = Object::new().with("b", 1.0).with("a", "x").with("c", true);

        assert_eq!(keys(&object), ["b", "a", "c"]);
        assert_eq!(object.len(), 3);
        assert_eq!(object.get("a"), Some(&Value::from("x")));
        assert_eq!(object.get("d"), None);
    }

    #[test]
    fn a_key_that_is_set_again_moves_to_the_end() {
        let mut object = Object::new().with("a", 1.0).with("b", 2.0);

        assert_eq!(object.insert("a", 3.0), Some(Value::from(1.0)));
        assert_eq!(object, Object::new().with("b", 2.0).with("a", 3.0));
    }

    #[test]
    fn a_removed_key_leaves_the_others_in_order() {
        let mut object = Object::new().with("a", 1.0).with("b", 2.0).with("c", 3.0);

        assert_eq!(object.remove("b"), Some(Value::from(2.0)));
        assert_eq!(object.remove("b"), None);
        assert_eq!(keys(&object), ["a", "c"]);
        assert!(!object.is_empty());
        assert!(Object::new().is_empty());
    }

    #[test]
    fn collecting_is_the_same_as_inserting_one_by_one() {
        let pairs = [
            ("a", 1.0),
            ("b", 2.0),
            ("a", 3.0),
            ("c", 4.0),
            ("b", 5.0),
            ("b", 6.0),
        ];

        let collected: Object = pairs.into_iter().collect();
        let mut inserted = Object::new();
        for (key, value) in pairs {
            inserted.insert(key, value);
        }

        assert_eq!(collected, inserted);
        assert_eq!(keys(&collected), ["a", "c", "b"]);
        let back: Vec<(String, Value)> = collected.into_iter().collect();
        assert_eq!(back.len(), 3);
    }
}
