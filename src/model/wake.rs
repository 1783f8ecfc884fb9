//! What the kernel tells oomtop of by itself, so that a sample need not wait for the clock.

/// Why a sample should not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Tasks of the host have waited for memory (PSI trigger).
    Pressure,
    /// A group has come to its limit or is out of memory.
    Group,
}

/// One kind of event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WakeSource {
    /// Not tried yet.
    #[default]
    NotYet,
    /// The kernel tells of it. The text says at what.
    Live(String),
    /// The kernel does not, for this reason: only the clock shows such a change.
    Off(String),
}

/// What wakes oomtop besides the clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WakeSources {
    /// Pressure of the host.
    pub pressure: WakeSource,
    /// The groups near their limit.
    pub groups: WakeSource,
    /// Who runs first while memory is short.
    pub turn: Turn,
}

/// When the threads between the kernel and the screen get the processor while memory is short.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Turn {
    /// oomtop does not protect itself.
    #[default]
    NotAsked,
    /// Before all ordinary threads.
    First,
    /// As others do, for this reason.
    AsOthers(String),
}
