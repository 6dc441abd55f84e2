//! A line as text or as JSON.

use super::line::Line;
use super::{json, text};
use crate::config::LogFormat;

/// Gives lines their format.
#[derive(Debug)]
pub(super) struct Formatter {
    format: LogFormat,
    colour: bool,
    /// The line at hand, kept for its memory.
    buffer: String,
}

impl Formatter {
    /// Makes lines in `format`; `colour` is for terminals, and for text alone.
    pub(super) fn new(format: LogFormat, colour: bool) -> Self {
        Self {
            format,
            colour,
            buffer: String::new(),
        }
    }

    /// `line` as it is written, with its newline.
    pub(super) fn format(&mut self, line: &Line) -> &str {
        self.buffer.clear();
        match self.format {
            LogFormat::Text => text::format(line, self.colour, &mut self.buffer),
            LogFormat::Json => json::format(line, &mut self.buffer),
        }
        &self.buffer
    }
}
