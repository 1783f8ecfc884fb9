//! An OOM report as pages of text: Summary, Memory, Tasks, Raw. The dialog, `oomtop explain` and the saved
//! report share them.

pub mod advice;
pub mod memory_page;
pub mod summary;
pub mod tasks_page;

/// A page of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// What happened, in plain words, and what to do now.
    #[default]
    Summary,
    /// Zones against their watermarks, free blocks, counters.
    Memory,
    /// The kernel's table of tasks, ranked by badness.
    Tasks,
    /// The lines of the log.
    Raw,
}

impl Page {
    /// In the order of the tabs.
    pub const ALL: [Self; 4] = [Self::Summary, Self::Memory, Self::Tasks, Self::Raw];

    /// The label of its tab.
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Memory => "Memory",
            Self::Tasks => "Tasks",
            Self::Raw => "Raw",
        }
    }

    /// The next page; the first one after the last.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Summary => Self::Memory,
            Self::Memory => Self::Tasks,
            Self::Tasks => Self::Raw,
            Self::Raw => Self::Summary,
        }
    }

    /// The previous page; the last one before the first.
    #[must_use]
    pub fn previous(self) -> Self {
        self.next().next().next()
    }
}
