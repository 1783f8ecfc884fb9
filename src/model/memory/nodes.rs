//! Memory nodes (NUMA), and the sets of them that cpusets allow.

use std::fmt;
use std::num::NonZeroU64;

/// A non-empty set of memory nodes. Only nodes 0 to 63 are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeSet(NonZeroU64);

impl NodeSet {
    /// The set of just this node; `None` for a number above 63.
    #[must_use]
    pub fn from_node(node: u32) -> Option<Self> {
        1_u64.checked_shl(node).and_then(NonZeroU64::new).map(Self)
    }

    /// Reads a list as the kernel prints it, `0-1,4` (`Mems_allowed_list` of `/proc/PID/status`,
    /// `cpuset.mems`). `None` if the list is empty, invalid, or has a node above 63.
    #[must_use]
    pub fn parse(list: &str) -> Option<Self> {
        let mut bits = 0_u64;
        for part in list.trim().split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
            if from > to || to > 63 {
                return None;
            }
            bits |= (u64::MAX >> (63 - to)) & (u64::MAX << from);
        }
        NonZeroU64::new(bits).map(Self)
    }

    /// A bit for each node, that of node 0 the lowest.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0.get()
    }

    /// The set with these bits; `None` if there is none.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }

    /// The union.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The intersection; `None` if it is empty.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Self> {
        NonZeroU64::new(self.0.get() & other.0.get()).map(Self)
    }

    /// True if the node is in the set.
    #[must_use]
    pub fn has(self, node: u32) -> bool {
        Self::from_node(node).is_some_and(|one| self.common(one).is_some())
    }
}

/// As the kernel prints it: `0-1,4`.
impl fmt::Display for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut node = 0;
        while node < 64 {
            let first = node;
            while node < 64 && self.has(node) {
                node += 1;
            }
            match node - first {
                0 => node += 1,
                1 => write!(f, "{separator}{first}")?,
                _ => write!(f, "{separator}{first}-{}", node - 1)?,
            }
            if node > first && self.has(first) {
                separator = ",";
            }
        }
        Ok(())
    }
}

impl serde::Serialize for NodeSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One node with memory, as `/proc/zoneinfo` sums it up (proc_zoneinfo(5)), in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct NodeMemory {
    /// The node number.
    pub node: u32,
    /// `present` of its zones (`node_present_pages`): the kernel scales adj by this.
    pub present: u64,
    /// `managed` of its zones: the usable pages.
    pub managed: u64,
    /// `pages free` of its zones.
    pub free: u64,
    /// Page cache on its file lists: the kernel drops it before it kills.
    pub cache: u64,
}

impl NodeMemory {
    /// Pages that are neither free nor page cache.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.managed
            .saturating_sub(self.free)
            .saturating_sub(self.cache)
    }
}

#[cfg(test)]
mod tests {
    use super::NodeSet;

    #[test]
    fn lists_are_read_and_printed_alike() {
        for list in ["0", "1", "0-1", "0-1,4", "2,4-63", "63", "0-63", "0,2,4"] {
            let set = NodeSet::parse(list).expect("a set");
            assert_eq!(set.to_string(), list);
        }
        for none in [
            "",
            "x",
            "1-",
            "-1",
            "2-1",
            "64",
            "0-64",
            "1,,2",
            "99999999999",
        ] {
            assert_eq!(NodeSet::parse(none), None, "{none}");
        }
    }

    #[test]
    fn sets_meet() {
        let set = |list| NodeSet::parse(list).expect("a set");
        assert_eq!(set("0-2").common(set("2-3")), Some(set("2")));
        assert_eq!(set("0").common(set("1")), None);
        assert_eq!(set("0").with(set("2")), set("0,2"));
        assert!(set("0-2").has(1) && !set("0-2").has(3) && !set("0").has(64));
    }
}
