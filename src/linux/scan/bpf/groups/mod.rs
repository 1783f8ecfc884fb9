//! Memory cgroups from inside the kernel: a BPF program walks all groups and copies what `struct mem_cgroup` counts.
//!
//! With thousands of groups this is cheaper than a file or two of each, and no group waits for its turn. On 6.8 and
//! later the program loops over the groups by itself (`bpf_iter_css`) under RCU. On 6.1 to 6.7 the kernel calls it for
//! each group (`bpf_iter` for cgroups) with `cgroup_mutex` held, which whoever makes a group while memory is short
//! can hold for long: [`scan`] never waits for that.

mod layout;
mod program;
mod scan;
mod walk;

pub(crate) use scan::GroupScan;
