//! [`Printing`]: what is printed in place of the screen, and how often.

/// What to print, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printing {
    /// In which form.
    pub form: PrintForm,
    /// How many samples; `None` until nobody reads them any more.
    pub count: Option<u64>,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintForm {
    /// A table.
    Table,
    /// A JSON document, one a line if there are several.
    Json,
    /// Comma-separated values.
    Csv,
    /// Sentences.
    Sentences,
}
