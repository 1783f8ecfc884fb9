//! gzip: members one behind the other, and the zeros that tapes and block devices add.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Unpacks all members.
pub(super) struct Members<R> {
    member: Option<GzDecoder<R>>,
    /// What follows the last member.
    rest: Option<R>,
}

impl<R: BufRead> Members<R> {
    /// Unpacks what begins with a member.
    pub(super) fn new(packed: R) -> Self {
        Self {
            member: Some(GzDecoder::new(packed)),
            rest: None,
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(member) = &mut self.member {
                let size = member.read(buffer)?;
                if size > 0 || buffer.is_empty() {
                    return Ok(size);
                }
                self.rest = self.member.take().map(GzDecoder::into_inner);
            }
            let Some(rest) = &mut self.rest else {
                return Ok(0);
            };
            // As gzip does, zeros behind a member are no damage.
            let ready = rest.fill_buf()?;
            if ready.is_empty() {
                return Ok(0);
            }
            let zeros = ready.iter().take_while(|byte| **byte == 0).count();
            let is_member = zeros < ready.len();
            rest.consume(zeros);
            if is_member {
                self.member = self.rest.take().map(GzDecoder::new);
            }
        }
    }
}
