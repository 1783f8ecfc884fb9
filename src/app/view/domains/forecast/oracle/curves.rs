//! Curves of memory in use, in MiB after so many seconds.

/// A repeatable chance, 0 to 1.
fn chance(seed: u64) -> f64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Name, curve and limit.
pub(super) type Curve = (&'static str, Box<dyn Fn(u64) -> f64>, f64);

/// Curves that end at the limit.
pub(super) fn leaks() -> Vec<Curve> {
    let mut all: Vec<Curve> = Vec::new();
    for (name, rate, limit) in [
        ("leak 15 s", 20.0, 340.0),
        ("leak 40 s", 10.0, 440.0),
        ("leak 100 s", 10.0, 1040.0),
        ("leak 300 s", 10.0, 3040.0),
    ] {
        let used = move |t: u64| 40.0 + rate * t.saturating_sub(30) as f64;
        all.push((name, Box::new(used), limit));
    }
    let noisy = |t: u64| 40.0 + t.saturating_sub(30) as f64 * 10.0 * (1.0 + 0.05 * chance(t));
    all.push(("noisy leak", Box::new(noisy), 1040.0));
    let portions = |t: u64| 40.0 + (t.saturating_sub(30) / 2) as f64 * 16.0;
    all.push(("leak in portions", Box::new(portions), 1040.0));
    let starts = |t: u64| 40.0 + 60.0 * t.min(2) as f64 + 10.0 * t as f64;
    all.push(("start, then leak", Box::new(starts), 1040.0));
    let grows = |t: u64| 40.0 * 1.02_f64.powf(t as f64);
    all.push(("exponential", Box::new(grows), 2000.0));
    let slows = |t: u64| 40.0 + 1000.0 * (1.0 - (-(t as f64) / 60.0).exp());
    all.push(("slowing", Box::new(slows), 900.0));
    all
}

/// Curves that never do.
pub(super) fn calm() -> Vec<Curve> {
    let mut all: Vec<Curve> = Vec::new();
    for seed in 0..12_u64 {
        // A build: each file takes memory for some seconds and gives most of it back.
        let build = move |t: u64| {
            let (step, within) = (t / 14, t % 14);
            let size = 400.0 + 700.0 * chance(seed * 1000 + step);
            let part = if within < 11 {
                within as f64 / 11.0
            } else {
                0.2
            };
            4500.0 + size * part
        };
        all.push(("compiler", Box::new(build), 24_000.0));
        let tight = move |t: u64| (build(t) - 4500.0) * 0.5 + 800.0;
        all.push(("compiler, tight", Box::new(tight), 2000.0));
        let saw = move |t: u64| 300.0 + ((t + seed) % (8 + seed)) as f64 * 20.0;
        all.push(("collector", Box::new(saw), 800.0));
        let long = move |t: u64| 300.0 + ((t + seed) % (40 + seed)) as f64 * 8.0;
        all.push(("slow collector", Box::new(long), 800.0));
        let burst = move |t: u64| 200.0 + t.saturating_sub(40).min(4 + seed) as f64 * 30.0;
        all.push(("burst, then flat", Box::new(burst), 1500.0));
        let noise = move |t: u64| 500.0 + 60.0 * chance(t * 77 + seed);
        all.push(("noise", Box::new(noise), 1000.0));
        let walk = move |t: u64| {
            500.0
                + (0..=t.min(399))
                    .map(|t| chance(t * 31 + seed) - 0.5)
                    .sum::<f64>()
                    * 20.0
        };
        all.push(("walk", Box::new(walk), 1500.0));
    }
    all
}
