//! Which decisions a model is fitted on where there are more than it needs.
//!
//! Decisions over one invoice share what came of it, and those over one customer share whether it left: the
//! second says much less than the first. So decisions are thinned one by one, and every invoice keeps some.

/// Whether decision `place` is kept where one in `step` is. The draw is a mix of the place's bits, so that it
/// goes with no stage of an invoice; `step` is at least 1.
pub(super) fn keeps(place: usize, step: usize) -> bool {
    mixed(place as u64).is_multiple_of(step.max(1) as u64)
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of `place`. Source: Steele, Lea
/// and Flood, OOPSLA 2014, doi:10.1145/2660193.2660195.
fn mixed(place: u64) -> u64 {
    let mut bits = place.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::keeps;

    #[test]
    fn every_stage_keeps_its_share_whatever_the_step() {
        for step in [1, 2, 3, 5, 7, 10] {
            // Stages follow each other with a period that the step divides, or is.
            for stages in [2, 5, 6, 10] {
                for stage in 0..stages {
                    let of_stage = (0..20_000).filter(|place| place % stages == stage);
                    let (mut all, mut kept) = (0.0, 0.0);
                    for place in of_stage {
                        all += 1.0;
                        kept += f64::from(keeps(place, step));
                    }
                    let expected = all / step as f64;
                    let off = (kept - expected).abs() / expected.sqrt();
                    assert!(
                        off < 4.0,
                        "step {step}, stage {stage} of {stages}: {kept} of {all}"
                    );
                }
            }
        }
    }
}
