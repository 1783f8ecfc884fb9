//! [`BtfError`]: why the kernel's type information could not be used.

use std::io;

/// Why the type information could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BtfError {
    /// Reading failed.
    #[error("the kernel's type information cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The blob is not BTF, or is damaged.
    #[error("the kernel's type information makes no sense: {0}")]
    Damaged(&'static str),
    /// This kernel has no such type, member or function.
    #[error("this kernel has no {0}")]
    Missing(String),
}
