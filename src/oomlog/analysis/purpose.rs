//! What the memory was for that could not be had: by the call trace, which shows who asked, and only without one by
//! the flags of the request.
//!
//! In a memory cgroup the printed mask is that of the *charge*. An anonymous page fault is charged with
//! `GFP_KERNEL` (mm/memory.c `folio_prealloc`: `mem_cgroup_charge(…, GFP_KERNEL)`; 5.10 to 7.3), a pipe's buffer asks
//! with `GFP_HIGHUSER` (fs/pipe.c): the mask tells the kernel how it may look for memory, not what for.

use crate::oomlog::analysis::{gfp, trace};
use crate::oomlog::{OomReport, Trigger};

/// What the memory was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A page of a program's own memory: its first touch, or a copy after fork.
    Anonymous,
    /// A page that comes back from swap.
    SwapIn,
    /// A page of tmpfs or shared memory.
    Shmem,
    /// A page of a file: it was read, mapped or written.
    FileCache,
    /// A huge page.
    HugePage,
    /// The buffer of a pipe.
    Pipe,
    /// The buffer of a socket.
    Socket,
    /// A page table.
    PageTable,
    /// A new process or thread: its stack, its descriptors, its map of memory.
    NewProcess,
    /// A mapping: the kernel's record of it.
    Mapping,
    /// The program or its arguments, at execve.
    Exec,
    /// The text of a file of /proc, /sys or the like.
    KernelFile,
    /// The name of a file.
    FileName,
    /// An inode, a directory entry or another record of a file system.
    FileSystem,
    /// Memory that vmalloc maps.
    Vmalloc,
    /// An object of one of the kernel's caches; the trace does not tell for what.
    Slab,
    /// A page of a process or of the page cache, by the flags of a request without a trace.
    UserPage,
    /// The kernel itself, by the flags of a request without a trace.
    Kernel,
    /// The kernel itself, charged to the process's cgroup; by the flags, without a trace.
    KernelAccounted,
    /// A page fault that had failed already for a reason that the report does not show.
    PageFault,
    /// None: a BPF program asked for a kill.
    Bpf,
    /// None: SysRq-f.
    None,
}

/// Functions that tell what a request was for. The innermost one of a trace decides. A `*` at the end stands for any
/// ending. Names of 2.6.32 to 7.3 (mm/, fs/, kernel/fork.c, net/core/).
const SPECIFIC: &[(&str, Purpose)] = &[
    ("bpf_out_of_memory*", Purpose::Bpf),
    ("moom_callback", Purpose::None),
    ("pagefault_out_of_memory", Purpose::PageFault),
    ("mem_cgroup_oom_synchronize", Purpose::PageFault),
    ("do_swap_page", Purpose::SwapIn),
    ("mem_cgroup_swapin_charge*", Purpose::SwapIn),
    ("mem_cgroup_try_charge_swapin", Purpose::SwapIn),
    ("swapin_*", Purpose::SwapIn),
    ("do_huge_pmd_*", Purpose::HugePage),
    ("vma_alloc_anon_folio_pmd", Purpose::HugePage),
    ("collapse_huge_page", Purpose::HugePage),
    ("hugetlb_*", Purpose::HugePage),
    ("shmem_*", Purpose::Shmem),
    ("alloc_anon_folio", Purpose::Anonymous),
    ("do_anonymous_page", Purpose::Anonymous),
    ("do_wp_page", Purpose::Anonymous),
    ("wp_page_copy", Purpose::Anonymous),
    ("do_cow_fault", Purpose::Anonymous),
    ("do_cow_page", Purpose::Anonymous),
    ("anon_pipe_write", Purpose::Pipe),
    ("pipe_write", Purpose::Pipe),
    ("alloc_pipe_info", Purpose::Pipe),
    ("pipe_resize_ring", Purpose::Pipe),
    ("iter_file_splice_write", Purpose::Pipe),
    ("sk_*", Purpose::Socket),
    ("__sk_*", Purpose::Socket),
    ("sock_*", Purpose::Socket),
    ("__sock_*", Purpose::Socket),
    ("skb_*", Purpose::Socket),
    ("__skb_*", Purpose::Socket),
    ("alloc_skb*", Purpose::Socket),
    ("__alloc_skb*", Purpose::Socket),
    ("tcp_*", Purpose::Socket),
    ("udp_*", Purpose::Socket),
    ("unix_*", Purpose::Socket),
    ("svc_alloc_arg", Purpose::Socket),
    ("mem_cgroup_charge_skmem", Purpose::Socket),
    ("mem_cgroup_sk_charge", Purpose::Socket),
    ("pte_alloc_*", Purpose::PageTable),
    ("__pte_alloc*", Purpose::PageTable),
    ("__pmd_alloc", Purpose::PageTable),
    ("__pud_alloc", Purpose::PageTable),
    ("__p4d_alloc", Purpose::PageTable),
    ("pgd_alloc", Purpose::PageTable),
    ("copy_page_range", Purpose::PageTable),
    ("alloc_thread_stack_node", Purpose::NewProcess),
    ("alloc_thread_info*", Purpose::NewProcess),
    ("dup_task_struct", Purpose::NewProcess),
    ("alloc_kmem_pages_node", Purpose::NewProcess),
    ("mm_init", Purpose::NewProcess),
    ("dup_mm", Purpose::NewProcess),
    ("dup_mmap", Purpose::NewProcess),
    ("alloc_pid", Purpose::NewProcess),
    ("dup_fd", Purpose::NewProcess),
    ("copy_process", Purpose::NewProcess),
    ("vm_area_alloc", Purpose::Mapping),
    ("vm_area_dup", Purpose::Mapping),
    ("mas_*", Purpose::Mapping),
    ("anon_vma_*", Purpose::Mapping),
    ("__anon_vma_prepare", Purpose::Mapping),
    ("mmap_region", Purpose::Mapping),
    ("copy_strings*", Purpose::Exec),
    ("get_arg_page", Purpose::Exec),
    ("setup_arg_pages", Purpose::Exec),
    ("bprm_execve", Purpose::Exec),
    ("load_elf_binary", Purpose::Exec),
    ("seq_*", Purpose::KernelFile),
    ("kernfs_fop_*", Purpose::KernelFile),
    ("proc_reg_*", Purpose::KernelFile),
    ("getname*", Purpose::FileName),
    ("filemap_*", Purpose::FileCache),
    ("__filemap_*", Purpose::FileCache),
    ("add_to_page_cache*", Purpose::FileCache),
    ("__add_to_page_cache*", Purpose::FileCache),
    ("pagecache_get_page", Purpose::FileCache),
    ("__page_cache_alloc", Purpose::FileCache),
    ("grab_cache_page*", Purpose::FileCache),
    ("page_cache_*", Purpose::FileCache),
    ("__do_page_cache_readahead", Purpose::FileCache),
    ("ondemand_readahead", Purpose::FileCache),
    ("force_page_cache_*", Purpose::FileCache),
    ("iomap_*", Purpose::FileCache),
    ("block_write_begin", Purpose::FileCache),
    ("alloc_buffer_head", Purpose::FileCache),
    ("folio_alloc_buffers", Purpose::FileCache),
    ("generic_perform_write", Purpose::FileCache),
    ("alloc_inode", Purpose::FileSystem),
    ("*_alloc_inode", Purpose::FileSystem),
    ("new_inode*", Purpose::FileSystem),
    ("__d_alloc", Purpose::FileSystem),
    ("d_alloc*", Purpose::FileSystem),
    ("alloc_extent_state", Purpose::FileSystem),
    ("alloc_empty_file", Purpose::FileSystem),
    ("ext4_*", Purpose::FileSystem),
    ("xfs_*", Purpose::FileSystem),
    ("btrfs_*", Purpose::FileSystem),
];

/// Functions that only tell how the kernel allocates; whoever called them says more.
const GENERIC: &[(&str, Purpose)] = &[
    ("vmalloc*", Purpose::Vmalloc),
    ("__vmalloc*", Purpose::Vmalloc),
    ("__kvmalloc*", Purpose::Vmalloc),
    ("kvmalloc*", Purpose::Vmalloc),
    ("kmem_cache_alloc*", Purpose::Slab),
    ("__kmem_cache_alloc*", Purpose::Slab),
    ("kmalloc*", Purpose::Slab),
    ("__kmalloc*", Purpose::Slab),
    ("allocate_slab", Purpose::Slab),
    ("new_slab", Purpose::Slab),
    ("obj_cgroup_charge*", Purpose::Slab),
    ("__memcg_slab_post_alloc_hook", Purpose::Slab),
];

/// What the request was for; `None` where neither trace nor flags tell.
#[must_use]
pub fn purpose(report: &OomReport) -> Option<Purpose> {
    let trigger = report.trigger.as_ref();
    if trigger.is_some_and(|trigger| trigger.order == Some(-1)) {
        return Some(Purpose::None);
    }
    let by = |table: &[(&str, Purpose)]| {
        trace::functions(report).find_map(|name| {
            let row = table.iter().find(|(pattern, _)| fits(pattern, name))?;
            Some(row.1)
        })
    };
    by(SPECIFIC)
        .or_else(|| by(GENERIC))
        .or_else(|| without_trace(report, trigger?))
}

fn fits(pattern: &str, name: &str) -> bool {
    if let Some(start) = pattern.strip_suffix('*') {
        name.starts_with(start)
    } else if let Some(end) = pattern.strip_prefix('*') {
        name.ends_with(end)
    } else {
        pattern == name
    }
}

/// The flags of the page allocator's own request. A charge says nothing: see the module's note.
fn without_trace(report: &OomReport, trigger: &Trigger) -> Option<Purpose> {
    if trigger.gfp_mask == Some(0) {
        let other = report.constraint_text.as_deref();
        let is_bpf = other.is_some_and(|text| text.starts_with("CONSTRAINT_BPF"));
        return Some(if is_bpf {
            Purpose::Bpf
        } else {
            Purpose::PageFault
        });
    }
    if report.is_memcg() || report.memcg.is_some() || report.memory.is_none() {
        return None;
    }
    let names = gfp::names(trigger, report.kernel.as_deref())?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("GFP_HIGHUSER_MOVABLE") {
        Some(Purpose::UserPage)
    } else if has("GFP_KERNEL_ACCOUNT") || (has("GFP_KERNEL") && has("__GFP_ACCOUNT")) {
        Some(Purpose::KernelAccounted)
    } else {
        // GFP_USER and GFP_HIGHUSER: pipes, drivers, guests of a hypervisor.
        (has("GFP_KERNEL") || has("GFP_NOFS") || has("GFP_NOIO")).then_some(Purpose::Kernel)
    }
}

#[cfg(test)]
mod tests {
    use super::{Purpose, purpose};
    use crate::oomlog::OomReport;
    use crate::oomlog::on_paper;
    use std::sync::Arc;

    fn asked(flags: &str, trace: &[&str], rest: &[&str]) -> Arc<OomReport> {
        let head = format!("x invoked oom-killer: gfp_mask={flags}, order=0, oom_score_adj=0");
        let frames: Vec<String> = trace
            .iter()
            .map(|name| format!(" {name}+0x1/0x2"))
            .collect();
        let lines = [head.as_str(), "Call Trace:", " ? shmem_fault+0x1/0x2"]
            .into_iter()
            .chain(frames.iter().map(String::as_str))
            .chain(rest.iter().copied());
        on_paper::report(lines)
    }

    #[test]
    fn the_trace_says_what_for_whatever_the_mask() {
        let kernel = "0xcc0(GFP_KERNEL)";
        let charge = ["try_charge_memcg", "charge_memcg", "__mem_cgroup_charge"];
        let cases: &[(&[&str], Purpose)] = &[
            (
                &["do_anonymous_page", "handle_mm_fault"],
                Purpose::Anonymous,
            ),
            (&["wp_page_copy", "do_wp_page"], Purpose::Anonymous),
            (&["do_swap_page"], Purpose::SwapIn),
            (
                &["__filemap_get_folio", "filemap_fault", "ext4_filemap_fault"],
                Purpose::FileCache,
            ),
            (
                &["shmem_get_folio_gfp", "shmem_fault", "__do_fault"],
                Purpose::Shmem,
            ),
            (&["anon_pipe_write", "vfs_write"], Purpose::Pipe),
            (
                &["sk_stream_alloc_skb", "tcp_sendmsg_locked"],
                Purpose::Socket,
            ),
            (
                &["kmem_cache_alloc_noprof", "getname_flags"],
                Purpose::FileName,
            ),
            (&["__kvmalloc_node", "seq_read_iter"], Purpose::KernelFile),
            (
                &["pte_alloc_one", "copy_page_range", "copy_process"],
                Purpose::PageTable,
            ),
            (&["copy_process", "kernel_clone"], Purpose::NewProcess),
            (
                &["allocate_slab", "kmem_cache_alloc", "foo_bar"],
                Purpose::Slab,
            ),
        ];
        for (trace, wanted) in cases {
            let whole: Vec<&str> = charge.iter().chain(*trace).copied().collect();
            let report = asked(kernel, &whole, &["memory: usage 8kB, limit 8kB, failcnt 1"]);
            assert_eq!(purpose(&report), Some(*wanted), "{trace:?}");
        }
    }

    #[test]
    fn a_mask_alone_says_nothing_in_a_cgroup_and_little_on_a_host() {
        let memcg = ["memory: usage 8kB, limit 8kB, failcnt 1"];
        let kernel = "0xcc0(GFP_KERNEL)";
        assert_eq!(purpose(&asked(kernel, &[], &memcg)), None, "the charge's");
        let host = ["Mem-Info:", "active_anon:1 inactive_anon:2 isolated_anon:0"];
        assert_eq!(purpose(&asked(kernel, &[], &host)), Some(Purpose::Kernel));
        let user = "0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO)";
        assert_eq!(purpose(&asked(user, &[], &host)), Some(Purpose::UserPage));
        let pipe = "0x500cc2(GFP_HIGHUSER|__GFP_ACCOUNT)";
        assert_eq!(purpose(&asked(pipe, &[], &host)), None, "a pipe, a driver");
        assert_eq!(
            purpose(&asked("0x0()", &[], &host)),
            Some(Purpose::PageFault)
        );
    }
}
