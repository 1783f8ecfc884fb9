//! [`RecordTask`]: what `oomtop record` is asked to do.

use std::path::PathBuf;

/// A recording to make.
#[derive(Debug)]
pub struct RecordTask {
    /// Where.
    pub file: PathBuf,
    /// Most bytes of all parts together.
    pub most: u64,
    /// An earlier recording there becomes an older part.
    pub goes_on: bool,
}
