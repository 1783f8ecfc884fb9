//! OOM domains: the host and each cgroup with a limit. Which process dies next in each, how much room is
//! left, and what a different limit would do.

pub mod distance;
pub mod enclosing;
pub mod foresee;
pub mod headroom;
pub mod leak;
pub mod stuck;
pub mod urgency;
pub mod victim;
pub mod whatif;
