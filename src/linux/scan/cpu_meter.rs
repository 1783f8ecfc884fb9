//! [`CpuMeter`]: the share of a processor that a process has had between two readings.

use crate::model::process::cpu::CpuTime;
use crate::model::time::Monotonic;

/// Two readings that are closer than this, in seconds, make no share: a tick of the clock would be a tenth.
const LEAST_SPAN: f32 = 0.1;

/// The last reading of one process.
#[derive(Debug, Default)]
pub(super) struct CpuMeter {
    last: Option<(u64, Monotonic)>,
    /// The sample of that reading.
    read: u64,
    percent: Option<f32>,
}

impl CpuMeter {
    /// Fills in the share. A process that was not read again keeps the one it had.
    pub(super) fn measure(&mut self, cpu: &mut Option<CpuTime>, at: Monotonic) {
        let Some(cpu) = cpu else {
            // Not asked for: the next reading begins anew.
            *self = Self::default();
            return;
        };
        if self.last.is_none() || cpu.read != self.read {
            self.take(*cpu, at);
        }
        cpu.percent = self.percent;
    }

    fn take(&mut self, cpu: CpuTime, at: Monotonic) {
        if let Some((nanos, then)) = self.last {
            let seconds = at.since(then).as_secs_f32();
            if seconds < LEAST_SPAN {
                return;
            }
            let spent = cpu.nanos.saturating_sub(nanos) as f32 / 1e9;
            self.percent = Some(spent / seconds * 100.0);
        }
        self.last = Some((cpu.nanos, at));
        self.read = cpu.read;
    }
}

#[cfg(test)]
mod tests {
    use super::CpuMeter;
    use crate::model::process::cpu::CpuTime;
    use crate::model::time::Monotonic;

    #[test]
    fn the_share_is_that_between_two_readings_and_not_between_two_samples() {
        let mut meter = CpuMeter::default();
        let mut shares = Vec::new();
        for (second, millis, read) in [
            (0, 100, 1),
            (1, 350, 2),
            // It rests: nobody reads it for three samples.
            (2, 350, 2),
            (3, 350, 2),
            (5, 1550, 6),
            // A clock that goes back a little.
            (6, 1500, 7),
        ] {
            let mut cpu = Some(CpuTime {
                nanos: millis * 1_000_000,
                read,
                percent: None,
            });
            meter.measure(&mut cpu, Monotonic(second * 1_000_000));
            shares.push(cpu.and_then(|cpu| cpu.percent));
        }
        let whole: Vec<_> = shares.iter().map(|s| s.map(f32::round)).collect();
        assert_eq!(
            whole,
            [
                None,
                Some(25.0),
                Some(25.0),
                Some(25.0),
                Some(30.0),
                Some(0.0)
            ]
        );
        meter.measure(&mut None, Monotonic(7_000_000));
        let mut cpu = Some(CpuTime::default());
        meter.measure(&mut cpu, Monotonic(8_000_000));
        assert_eq!(cpu.and_then(|cpu| cpu.percent), None);
    }
}
