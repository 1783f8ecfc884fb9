//! The flags of the allocation that failed, by name. What the memory was for is [`super::purpose`]'s question.
//!
//! Since 4.6 the kernel prints names. Older kernels print only a number, whose bits changed their meaning in 4.4
//! (include/linux/gfp.h of 2.6.32, 3.10, 4.4).

use crate::oomlog::Trigger;

/// Bits with the same meaning from 2.6.24 to 4.5.
const COMMON: [(u64, &str); 18] = [
    (0x1, "__GFP_DMA"),
    (0x2, "__GFP_HIGHMEM"),
    (0x4, "__GFP_DMA32"),
    (0x8, "__GFP_MOVABLE"),
    (0x20, "__GFP_HIGH"),
    (0x40, "__GFP_IO"),
    (0x80, "__GFP_FS"),
    (0x100, "__GFP_COLD"),
    (0x200, "__GFP_NOWARN"),
    (0x400, "__GFP_REPEAT"),
    (0x800, "__GFP_NOFAIL"),
    (0x1000, "__GFP_NORETRY"),
    (0x2000, "__GFP_MEMALLOC"),
    (0x4000, "__GFP_COMP"),
    (0x8000, "__GFP_ZERO"),
    (0x10000, "__GFP_NOMEMALLOC"),
    (0x20000, "__GFP_HARDWALL"),
    (0x40000, "__GFP_THISNODE"),
];
/// Bits of 2.6.24 to 4.3 only.
const BEFORE_4_4: [(u64, &str); 6] = [
    (0x10, "__GFP_WAIT"),
    (0x80000, "__GFP_RECLAIMABLE"),
    (0x20_0000, "__GFP_NOTRACK"),
    (0x40_0000, "__GFP_NO_KSWAPD"),
    (0x80_0000, "__GFP_OTHER_NODE"),
    (0x100_0000, "__GFP_WRITE"),
];
/// Bits of 4.4 and 4.5 only.
const FROM_4_4: [(u64, &str); 7] = [
    (0x10, "__GFP_RECLAIMABLE"),
    (0x80000, "__GFP_ATOMIC"),
    (0x20_0000, "__GFP_NOTRACK"),
    (0x40_0000, "__GFP_DIRECT_RECLAIM"),
    (0x80_0000, "__GFP_OTHER_NODE"),
    (0x100_0000, "__GFP_WRITE"),
    (0x200_0000, "__GFP_KSWAPD_RECLAIM"),
];
/// Combined names and their flags, the longest first. `WAIT` is `__GFP_WAIT`, in 4.4 the two reclaim bits.
const COMBINED: [(&str, &[&str]); 4] = [
    (
        "GFP_HIGHUSER_MOVABLE",
        &[
            "WAIT",
            "__GFP_IO",
            "__GFP_FS",
            "__GFP_HARDWALL",
            "__GFP_HIGHMEM",
            "__GFP_MOVABLE",
        ],
    ),
    (
        "GFP_HIGHUSER",
        &[
            "WAIT",
            "__GFP_IO",
            "__GFP_FS",
            "__GFP_HARDWALL",
            "__GFP_HIGHMEM",
        ],
    ),
    (
        "GFP_USER",
        &["WAIT", "__GFP_IO", "__GFP_FS", "__GFP_HARDWALL"],
    ),
    ("GFP_KERNEL", &["WAIT", "__GFP_IO", "__GFP_FS"]),
];

/// The flags by name: as printed, or decoded for the kernel's version (from the `CPU:` line).
///
/// `None` if no list was printed and the bits of the version are not known (4.6 and later). Bits without a name are
/// one hexadecimal number at the end.
#[must_use]
pub fn names(trigger: &Trigger, kernel: Option<&str>) -> Option<Vec<String>> {
    if let Some(printed) = &trigger.gfp_flags {
        let names = printed.split('|').filter(|name| !name.is_empty());
        return Some(names.map(str::to_owned).collect());
    }
    let version = version(kernel?)?;
    let mask = trigger.gfp_mask?;
    if version >= (4, 6) {
        return None;
    }
    let special: &[(u64, &str)] = if version >= (4, 4) {
        &FROM_4_4
    } else {
        &BEFORE_4_4
    };
    let mut rest = mask;
    let mut found = Vec::new();
    for (bit, name) in COMMON.iter().chain(special) {
        if rest & bit != 0 {
            rest &= !bit;
            found.push(*name);
        }
    }
    let mut names = combine(found);
    if rest != 0 {
        names.push(format!("{rest:#x}"));
    }
    Some(names)
}

/// Replaces flags by the combined name that programmers use.
fn combine(found: Vec<&'static str>) -> Vec<String> {
    let has = |name: &str| match name {
        "WAIT" => {
            found.contains(&"__GFP_WAIT")
                || (found.contains(&"__GFP_DIRECT_RECLAIM")
                    && found.contains(&"__GFP_KSWAPD_RECLAIM"))
        }
        name => found.contains(&name),
    };
    let Some((name, parts)) = COMBINED
        .iter()
        .find(|(_, parts)| parts.iter().all(|part| has(part)))
    else {
        return found.into_iter().map(str::to_owned).collect();
    };
    let waits = ["__GFP_WAIT", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"];
    let others = found
        .iter()
        .filter(|flag| !parts.contains(flag) && !waits.contains(flag));
    std::iter::once(name)
        .chain(others)
        .map(|name| (*name).to_owned())
        .collect()
}

/// Major and minor of `4.4.121-x`.
pub(in crate::oomlog) fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Trigger, names};

    fn asked(mask: u64, flags: Option<&str>) -> Trigger {
        Trigger {
            gfp_mask: Some(mask),
            gfp_flags: flags.map(str::to_owned),
            order: Some(0),
            ..Trigger::default()
        }
    }

    #[test]
    fn numbers_by_version() {
        let old = names(&asked(0x280da, None), Some("2.6.32-642.11.1.el6.x86_64")).unwrap();
        assert_eq!(old, ["GFP_HIGHUSER_MOVABLE", "__GFP_ZERO"]);
        let cold = names(&asked(0x201da, None), Some("3.10.0-1062.el7")).unwrap();
        assert_eq!(cold, ["GFP_HIGHUSER_MOVABLE", "__GFP_COLD"]);
        let v44 = names(&asked(0x0242_80ca, None), Some("4.4.121")).unwrap();
        assert_eq!(v44, ["GFP_HIGHUSER_MOVABLE", "__GFP_ZERO"]);
        let kernel = names(&asked(0x0260_00c0, None), Some("4.4.121")).unwrap();
        assert_eq!(kernel, ["GFP_KERNEL", "__GFP_NOTRACK"]);
        assert_eq!(
            names(&asked(0xcc0, None), Some("6.1.0")),
            None,
            "bits not known"
        );
        assert_eq!(
            names(&asked(0x8000_0010, None), Some("3.10.0")).unwrap(),
            ["__GFP_WAIT", "0x80000000"]
        );
    }

    #[test]
    fn printed_names_are_taken_as_they_are() {
        let printed = asked(0x50_0cc2, Some("GFP_HIGHUSER|__GFP_ACCOUNT"));
        assert_eq!(
            names(&printed, None).unwrap(),
            ["GFP_HIGHUSER", "__GFP_ACCOUNT"]
        );
    }
}
