//! How far a runtime lets its heap grow, by the arguments and the environment that a process was started with.
//!
//! A runtime that may take more than its OOM domain has is killed before its collector feels any need. Each file below
//! knows one runtime and cites its documentation.

mod dotnet;
mod go;
mod java;
mod node;
mod postgres;

/// The variables that a bound can come from. No other variable of a process is kept.
pub const VARIABLES: &[&str] = &[
    "COMPlus_GCHeapHardLimit",
    "COMPlus_GCHeapHardLimitPercent",
    "DOTNET_GCHeapHardLimit",
    "DOTNET_GCHeapHardLimitPercent",
    "GOMEMLIMIT",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "_JAVA_OPTIONS",
];

/// How a process was started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launch {
    /// The program and its arguments (`/proc/PID/cmdline`).
    pub arguments: Vec<String>,
    /// False if this user may not read the environment: a bound may be missing.
    pub is_environment_known: bool,
    /// Those of [`VARIABLES`] that are set (`/proc/PID/environ`).
    pub environment: Vec<(&'static str, String)>,
}

impl Launch {
    fn variable(&self, name: &str) -> Option<&str> {
        let mut all = self.environment.iter();
        let (_, value) = all.find(|(known, _)| *known == name)?;
        Some(value)
    }

    /// The name of the program without its directory.
    fn program(&self) -> &str {
        let path = self.arguments.first().map_or("", String::as_str);
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// What the bound bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// The heap of a Java virtual machine; it also has threads, code and direct buffers.
    Java,
    /// The old generation of V8.
    Node,
    /// All memory of a Go program; the collector works harder near it, and nothing stops there.
    Go,
    /// The heap of the .NET garbage collector.
    Dotnet,
    /// The shared buffers of a PostgreSQL server; each connection has more.
    Postgres,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Most {
    /// Bytes.
    Bytes(u64),
    /// A share of the memory that the runtime sees, in percent: its container's limit, else the RAM.
    Percent(f64),
}

/// How far a heap may grow.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct HeapBound {
    /// Whose heap.
    pub runtime: Runtime,
    /// How far.
    pub most: Most,
    /// Where that stands: `-Xmx2g`, `GOMEMLIMIT=1GiB`.
    pub source: String,
    /// Nobody asked for it: the default of the runtime.
    pub is_default: bool,
    /// Something else may say otherwise and could not be read: the environment, or a file of options.
    pub may_differ: bool,
}

impl HeapBound {
    fn given(runtime: Runtime, most: Most, source: impl Into<String>) -> Self {
        Self {
            runtime,
            most,
            source: source.into(),
            is_default: false,
            may_differ: false,
        }
    }

    /// The bound in bytes where the runtime sees a limit of so many bytes.
    #[must_use]
    pub fn bytes(&self, limit: u64) -> u64 {
        match self.most {
            Most::Bytes(bytes) => bytes,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of a size is a size"
            )]
            Most::Percent(percent) => {
                let share =
                    |percent: f64| (limit as f64 * percent.clamp(0.0, 100.0) / 100.0) as u64;
                match self.runtime {
                    Runtime::Java => java::heap(limit, share(percent), share, self.is_default),
                    _ => share(percent),
                }
            }
        }
    }
}

/// The bound of the process that was started so; `None` if it has none, or its runtime is not known.
#[must_use]
pub fn heap_bound(launch: &Launch) -> Option<HeapBound> {
    let readers = [
        java::bound,
        node::bound,
        postgres::bound,
        dotnet::bound,
        go::bound,
    ];
    let bound = readers.iter().find_map(|reader| reader(launch))?;
    Some(HeapBound {
        may_differ: bound.may_differ || !launch.is_environment_known,
        ..bound
    })
}

/// A number with the unit that stands behind it: `512m` is 512 and `m`.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let unit = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at_checked(unit.unwrap_or(text.len()))?;
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests;
