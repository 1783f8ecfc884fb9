//! Shared memory of a cgroup, where its kernel counts it and where not.

/// Shared memory and tmpfs in bytes. v1 before 4.18 has no line for it, but it is on the lists of anonymous pages.
pub(in crate::oomlog::analysis) fn shmem(get: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    get("shmem").or_else(|| {
        let lists = get("active_anon")?.saturating_add(get("inactive_anon")?);
        // v2 has had a line since its first version: there it is lost.
        Some(lists.saturating_sub(get("rss")?))
    })
}
