//! Memory that devices take: the pools of zram, exported buffers (DMA-buf).

use crate::linux::SysRoot;
use crate::linux::kernel_file::{FileBuffer, MOST_BYTES, lines, number, open_dir};
use crate::model::vm_settings::ZramUse;

use super::dir;

/// Most buffers summed up.
const BUFFERS: usize = 16_384;

/// RAM that all zram devices take (`mm_stat`), used as swap or not; `None` without such a device.
pub(super) fn zram(root: &SysRoot, buffer: &mut FileBuffer) -> Option<u64> {
    let devices = dir::open(&root.base.join("sys/block"))?;
    let names = dir::names(&devices);
    let zrams = names.iter().filter(|name| name.starts_with(b"zram"));
    let takes = zrams.filter_map(|name| {
        let mut path = name.clone();
        path.extend_from_slice(b"/mm_stat");
        let text = buffer.read_whole(&devices, path.as_slice()).ok()?;
        Some(ZramUse::parse(std::str::from_utf8(text).ok()?)?.takes)
    });
    takes.reduce(u64::saturating_add)
}

/// Exported device buffers: in sysfs where the kernel has the statistics, else in debugfs, which only root may read.
/// `None` where neither tells.
pub(super) fn dma_buf(root: &SysRoot, buffer: &mut FileBuffer) -> Option<u64> {
    if let Some(buffers) = dir::open(&root.base.join("sys/kernel/dmabuf/buffers")) {
        let names = dir::names(&buffers);
        let sizes = names.iter().take(BUFFERS).filter_map(|name| {
            let mut path = name.clone();
            path.extend_from_slice(b"/size");
            number(buffer.read_whole(&buffers, path.as_slice()).ok()?)
        });
        return Some(sizes.fold(0, u64::saturating_add).min(MOST_BYTES));
    }
    let debug = open_dir(&root.base.join("sys/kernel/debug/dma_buf")).ok()?;
    total(buffer.read_whole(&debug, "bufinfo").ok()?)
}

/// The last line: `Total 2 objects, 8192 bytes` (drivers/dma-buf/dma-buf.c `dma_buf_debug_show`).
fn total(text: &[u8]) -> Option<u64> {
    let line = lines(text)
        .filter_map(|line| line.strip_prefix(b"Total "))
        .last()?;
    let mut words = line.split(|b| *b == b' ');
    words.find(|word| *word == b"objects,")?;
    Some(number(words.next()?)?.min(MOST_BYTES))
}

#[cfg(test)]
mod tests {
    use super::{dma_buf, total, zram};
    use crate::linux::SysRoot;
    use crate::linux::kernel_file::FileBuffer;

    #[test]
    fn sums_of_all_devices_and_none_without_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = SysRoot::under(dir.path());
        let mut buffer = FileBuffer::default();
        assert_eq!(
            (zram(&root, &mut buffer), dma_buf(&root, &mut buffer)),
            (None, None)
        );
        for (path, text) in [
            ("sys/block/zram0/mm_stat", "4096 100 8192 0 8192 0 0 0 0\n"),
            ("sys/block/zram1/mm_stat", "0 0 4096 0 8192 0 0 0 0\n"),
            ("sys/block/sda/size", "9\n"),
            ("sys/kernel/dmabuf/buffers/1/size", "65536\n"),
            ("sys/kernel/dmabuf/buffers/2/size", "4096\n"),
        ] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        assert_eq!(zram(&root, &mut buffer), Some(12_288));
        assert_eq!(dma_buf(&root, &mut buffer), Some(69_632));
        assert_eq!(
            total(b"size flags\n\nTotal 2 objects, 8192 bytes\n"),
            Some(8192)
        );
        assert_eq!(total(b"Total of nothing\n"), None);
    }
}
