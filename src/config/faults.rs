//! [`Faults`]: what is wrong with the sources of settings, and for whom that matters.

/// Who cannot do without what a sentence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matters {
    /// Everybody.
    Always,
    /// Who shows or prints a table: a service has neither keys nor colours, and must not fail to start because of them.
    OnScreens,
}

/// Sentences about what is wrong, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Matters, String)>);

impl Faults {
    /// Adds a sentence.
    pub(super) fn push(&mut self, matters: Matters, sentence: String) {
        self.0.push((matters, sentence));
    }

    /// Adds sentences.
    pub(super) fn extend(&mut self, matters: Matters, sentences: impl IntoIterator<Item = String>) {
        let sentences = sentences.into_iter();
        self.0.extend(sentences.map(|sentence| (matters, sentence)));
    }

    /// All of them, if there are any.
    ///
    /// # Errors
    /// All of them.
    pub(super) fn refuse(self) -> Result<(), Vec<String>> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.0.into_iter().map(|(_, sentence)| sentence).collect())
    }

    /// Those that a service does without.
    ///
    /// # Errors
    /// The others, if there are any.
    pub(super) fn for_service(self) -> Result<Vec<String>, Vec<String>> {
        let (grave, light): (Vec<_>, Vec<_>) = self
            .0
            .into_iter()
            .partition(|(matters, _)| *matters == Matters::Always);
        let sentences = |all: Vec<(Matters, String)>| all.into_iter().map(|(_, said)| said);
        if grave.is_empty() {
            Ok(sentences(light).collect())
        } else {
            Err(sentences(grave).collect())
        }
    }
}
