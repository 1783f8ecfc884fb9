//! The frames of a zstd file (RFC 8878), one block at a time.
//!
//! The decoder holds back what later blocks may refer to, and drops it if the stream ends early. So blocks are
//! handed on whole: where one is cut, an empty last block ends the frame instead, and all before it is given.

use std::io::{self, Read};

use ruzstd::decoding::StreamingDecoder;

/// First bytes of a frame.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Largest window, in bytes: that of `zstd --ultra`.
const WINDOW_MOST: u64 = 128 << 20;

/// True for a frame that holds no data (RFC 8878, 3.1.2).
pub(super) fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// All frames of a stream, unpacked.
pub(super) struct Frames<R: Read> {
    packed: Option<R>,
    frame: Option<StreamingDecoder<Blocks<R>, ruzstd::decoding::FrameDecoder>>,
}

impl<R: Read> Frames<R> {
    /// Unpacks the stream.
    pub(super) fn new(packed: R) -> Self {
        Self {
            packed: Some(packed),
            frame: None,
        }
    }

    /// Begins the next frame; false at the end of the stream.
    fn next_frame(&mut self) -> io::Result<bool> {
        let Some(mut packed) = self.packed.take() else {
            return Ok(false);
        };
        let mut magic = Vec::new();
        loop {
            magic.clear();
            packed.by_ref().take(4).read_to_end(&mut magic)?;
            if magic.is_empty() {
                return Ok(false);
            }
            if !is_skippable(&magic) {
                break;
            }
            let mut size = [0; 4];
            packed.read_exact(&mut size)?;
            let size = u64::from(u32::from_le_bytes(size));
            if io::copy(&mut packed.by_ref().take(size), &mut io::sink())? < size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if magic != MAGIC {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no zstd frame"));
        }
        let blocks = Blocks::begin(packed)?;
        let frame = StreamingDecoder::new_with_max_window_size(blocks, WINDOW_MOST);
        self.frame = Some(frame.map_err(io::Error::other)?);
        Ok(true)
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.frame.is_none() && !self.next_frame()? {
                return Ok(0);
            }
            let Some(frame) = &mut self.frame else {
                return Ok(0);
            };
            let size = frame.read(buffer)?;
            if size > 0 || buffer.is_empty() {
                return Ok(size);
            }
            let blocks = self.frame.take().map(StreamingDecoder::into_inner);
            if let Some(blocks) = blocks {
                if blocks.cut {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.packed = Some(blocks.packed);
            }
        }
    }
}

/// The bytes of one frame, whole blocks only.
struct Blocks<R> {
    packed: R,
    ready: io::Cursor<Vec<u8>>,
    has_checksum: bool,
    ended: bool,
    /// The stream ended inside the frame.
    cut: bool,
}

impl<R: Read> Blocks<R> {
    /// Behind the magic number: the header of the frame.
    fn begin(mut packed: R) -> io::Result<Self> {
        let mut descriptor = [0; 1];
        packed.read_exact(&mut descriptor)?;
        let [descriptor] = descriptor;
        let single_segment = descriptor & 0x20 != 0;
        let window = usize::from(!single_segment);
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let content = match descriptor >> 6 {
            0 => usize::from(single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        let mut header = MAGIC.to_vec();
        header.push(descriptor);
        let begin = header.len();
        header.resize(begin + window + dictionary + content, 0);
        packed.read_exact(header.get_mut(begin..).unwrap_or_default())?;
        Ok(Self {
            packed,
            ready: io::Cursor::new(header),
            has_checksum: descriptor & 4 != 0,
            ended: false,
            cut: false,
        })
    }

    /// Reads the next block; where it is cut, ends the frame.
    fn next_block(&mut self) -> io::Result<()> {
        let mut block = Vec::new();
        let checksum = if self.has_checksum { 4 } else { 0 };
        self.packed.by_ref().take(3).read_to_end(&mut block)?;
        if let [a, b, c] = *block.as_slice() {
            let header = u32::from_le_bytes([a, b, c, 0]);
            let is_last = header & 1 == 1;
            let is_run = (header >> 1) & 3 == 1;
            let size = if is_run { 1 } else { u64::from(header >> 3) };
            let size = if is_last { size + checksum } else { size };
            let read = self.packed.by_ref().take(size).read_to_end(&mut block)?;
            if read as u64 == size {
                self.ended = is_last;
                self.ready = io::Cursor::new(block);
                return Ok(());
            }
        }
        // An empty raw block, the last one, and a checksum that nobody compares.
        self.cut = true;
        self.ended = true;
        let mut end = vec![1, 0, 0];
        end.resize(3 + usize::from(self.has_checksum) * 4, 0);
        self.ready = io::Cursor::new(end);
        Ok(())
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let size = self.ready.read(buffer)?;
            if size > 0 || self.ended || buffer.is_empty() {
                return Ok(size);
            }
            self.next_block()?;
        }
    }
}
