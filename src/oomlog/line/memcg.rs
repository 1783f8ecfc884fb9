//! The lines about the memory cgroup that ran out.

use super::{kb_after, number_after, squeeze};
use crate::oomlog::line::fact::Body;
use crate::oomlog::report::memcg::{Usage, UsageKind};

/// `Task in %s killed as a result of limit of %s` (up to 4.20).
pub(super) fn limit_of(line: &str) -> Option<Body> {
    let (before, limit) = line.split_once(" as a result of limit of ")?;
    let task = before.trim_start().strip_prefix("Task in ")?;
    Some(Body::LimitOf {
        task: Some(task.strip_suffix(" killed").unwrap_or(task).to_owned()),
        limit: limit.to_owned(),
    })
}

/// `Memory limit reached of cgroup %s` (4.4 to 4.20).
pub(super) fn limit_reached(line: &str) -> Option<Body> {
    let limit = line
        .trim_start()
        .strip_prefix("Memory limit reached of cgroup ")?;
    Some(Body::LimitOf {
        task: None,
        limit: limit.to_owned(),
    })
}

/// `memory: usage %llukB, limit %llukB, failcnt %lu`, also `memory+swap`, `swap` and `kmem`.
pub(super) fn usage(line: &str) -> Option<Body> {
    let (name, rest) = line.trim_start().split_once(": usage ")?;
    let kind = match name {
        "memory" => UsageKind::Memory,
        "memory+swap" => UsageKind::MemorySwap,
        "swap" => UsageKind::Swap,
        "kmem" => UsageKind::Kernel,
        _ => return None,
    };
    let rest = format!("usage{}", squeeze(rest));
    Some(Body::Usage(Usage {
        kind,
        usage_kb: kb_after(&rest, "usage")?,
        limit_kb: kb_after(&rest, "limit")?,
        failcnt: number_after(&rest, "failcnt").unwrap_or(0),
    }))
}

/// `Memory cgroup stats[ for %s]:` (3.10 and later). Up to 5.2 `cache:%luKB rss:%luKB …` follows in the line.
pub(super) fn stats_head(line: &str) -> Option<Body> {
    let rest = line.trim_start().strip_prefix("Memory cgroup stats")?;
    let rest = match rest.strip_prefix(" for ") {
        Some(named) => named,
        None => rest.strip_prefix(':').map(|_| rest)?,
    };
    // The path may hold colons: it ends before the first number, or at the last colon.
    let inline = rest.find(": cache:").or_else(|| rest.find(":cache:"));
    let (path, numbers) = match inline {
        Some(at) => rest.split_at(at),
        None => rest.split_at(rest.rfind(':')?),
    };
    let pairs = numbers
        .split_whitespace()
        .filter_map(|pair| {
            let (key, value) = pair.trim_start_matches(':').split_once(':')?;
            let kb: u64 = value.strip_suffix("KB")?.parse().ok()?;
            Some((key.to_owned(), kb.saturating_mul(1024)))
        })
        .collect();
    Some(Body::StatsHead {
        path: (!path.is_empty()).then(|| path.to_owned()),
        pairs,
    })
}

#[cfg(test)]
mod tests {
    use super::{limit_of, stats_head, usage};
    use crate::oomlog::line::fact::Body;
    use crate::oomlog::report::memcg::{Usage, UsageKind};

    #[test]
    fn limits_and_usage() {
        assert_eq!(
            limit_of("Task in /a/b killed as a result of limit of /a"),
            Some(Body::LimitOf {
                task: Some("/a/b".into()),
                limit: "/a".into()
            })
        );
        assert_eq!(
            usage("memory+swap: usage 81788kB, limit 81920kB, failcnt 6"),
            Some(Body::Usage(Usage {
                kind: UsageKind::MemorySwap,
                usage_kb: 81788,
                limit_kb: 81920,
                failcnt: 6
            }))
        );
        assert_eq!(usage("memory: usage 65536kB, limit 655"), None, "cut");
        assert_eq!(usage("disk: usage 1kB, limit 2kB, failcnt 0"), None);
    }

    #[test]
    fn stats_of_both_shapes() {
        assert_eq!(
            stats_head("Memory cgroup stats for /we ird,task=x(1):"),
            Some(Body::StatsHead {
                path: Some("/we ird,task=x(1)".into()),
                pairs: Vec::new()
            })
        );
        assert_eq!(
            stats_head("Memory cgroup stats for /docker/01: cache:4KB rss:65144KB"),
            Some(Body::StatsHead {
                path: Some("/docker/01".into()),
                pairs: vec![("cache".into(), 4096), ("rss".into(), 66_707_456)]
            })
        );
        assert_eq!(
            stats_head("Memory cgroup stats: cache:0KB"),
            Some(Body::StatsHead {
                path: None,
                pairs: vec![("cache".into(), 0)]
            })
        );
    }
}
