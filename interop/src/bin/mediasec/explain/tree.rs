//! What is shown: a tree of fields, as text or as JSON.

use core::{fmt::Write as _, ops::Range};

use serde_json::{Map, Value, json};

/// A field, or a group of fields.
#[derive(Debug, Default)]
pub(crate) struct Node {
    label: String,
    octets: Option<Range<usize>>,
    value: String,
    reference: &'static str,
    warnings: Vec<String>,
    error: Option<String>,
    children: Vec<Self>,
}

impl Node {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// Where it stands, counted from the start of the message or line that it is part of.
    pub(crate) fn at(mut self, octets: Range<usize>) -> Self {
        self.octets = Some(octets);
        self
    }

    /// What it says, in words.
    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// Where the standards define it.
    pub(crate) fn reference(mut self, reference: &'static str) -> Self {
        self.reference = reference;
        self
    }

    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    pub(crate) fn push(&mut self, child: Self) {
        self.children.push(child);
    }

    /// Its only child in its place, under both labels.
    pub(crate) fn flattened(mut self) -> Self {
        match (self.children.pop(), self.children.is_empty()) {
            (Some(child), true) => Self {
                label: format!("{}: {}", self.label, child.label),
                octets: self.octets,
                ..child
            },
            (last, _) => {
                self.children.extend(last);
                self
            }
        }
    }

    /// Something to look at, though it can be read.
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    pub(crate) fn warn_if(mut self, condition: bool, warning: &str) -> Self {
        if condition {
            self.warn(warning);
        }
        self
    }

    /// It cannot be read.
    pub(crate) fn fail(&mut self, error: impl Into<String>) {
        self.error = Some(error.into());
    }

    pub(crate) fn failed(mut self, error: impl Into<String>) -> Self {
        self.fail(error);
        self
    }

    pub(crate) fn octets(&self) -> Option<Range<usize>> {
        self.octets.clone()
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn rename(&mut self, label: &str) {
        label.clone_into(&mut self.label);
    }

    pub(crate) fn nodes_mut(&mut self) -> &mut [Self] {
        &mut self.children
    }

    /// Parts that could not be read.
    pub(crate) fn errors(&self) -> usize {
        let below: usize = self.children.iter().map(Self::errors).sum();
        below + usize::from(self.error.is_some())
    }

    /// The error, if there is nothing else.
    pub(crate) fn only_error(&self) -> Option<&str> {
        if self.children.is_empty() {
            self.error.as_deref()
        } else {
            None
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out
    }

    fn write(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        out.push_str(&indent);
        push_visible(&self.label, out);
        if let Some(octets) = &self.octets {
            // Writing to a String does not fail.
            let _ = write!(out, " @{}+{}", octets.start, octets.len());
        }
        if !self.value.is_empty() {
            out.push_str(": ");
            push_visible(&self.value, out);
        }
        if !self.reference.is_empty() {
            let _ = write!(out, "  [{}]", self.reference);
        }
        out.push('\n');
        for warning in &self.warnings {
            let _ = writeln!(out, "{indent}  ! {warning}");
        }
        if let Some(error) = &self.error {
            let _ = writeln!(out, "{indent}  !! {error}");
        }
        for child in &self.children {
            child.write(depth + 1, out);
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("label", json!(self.label));
        if let Some(octets) = &self.octets {
            put("octets", json!([octets.start, octets.end]));
        }
        if !self.value.is_empty() {
            put("value", json!(self.value));
        }
        if !self.reference.is_empty() {
            put("reference", json!(self.reference));
        }
        if !self.warnings.is_empty() {
            put("warnings", json!(self.warnings));
        }
        if let Some(error) = &self.error {
            put("error", json!(error));
        }
        if !self.children.is_empty() {
            put(
                "children",
                self.children.iter().map(Self::to_json).collect(),
            );
        }
        Value::Object(object)
    }
}

/// Control characters, and those that turn the direction of what follows, would let a peer write
/// something else to the terminal.
fn push_visible(text: &str, out: &mut String) {
    let turns = |character| matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    for character in text.chars() {
        if character.is_control() || turns(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
}
