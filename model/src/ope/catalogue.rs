//! The estimators by name.

use super::{
    cressie_read, empirical_likelihood,
    error::OpeError,
    estimate::Estimate,
    estimator::Estimator,
    replay::replay,
    shrinkage::Shrinkage,
    terms::Terms,
    tuning::{self, Criterion, Family},
};

/// A way to a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// One of the linear family.
    Linear(Estimator),
    /// A member of a family, chosen from the data over its default grid.
    Tuned(Family, Criterion),
    /// The replay method.
    Replay,
    /// Maximum empirical likelihood, with this largest possible weight.
    EmpiricalLikelihood(f64),
    /// Cressie-Read of order −2, with this largest possible weight.
    CressieRead(f64),
}

impl Method {
    /// The value with each round's influence.
    ///
    /// A tuned method's influence takes its parameter for given, which is why
    /// its interval is a little too narrow.
    ///
    /// # Errors
    /// What the log lacks, or a parameter outside its range.
    pub fn estimate(&self, terms: &Terms) -> Result<Estimate, OpeError> {
        match self {
            Self::Linear(estimator) => estimator.estimate(terms),
            Self::Tuned(family, criterion) => {
                let parameter = tuning::choose(*family, family.default_grid(), *criterion, terms)?;
                family.member(parameter).estimate(terms)
            }
            Self::Replay => replay(terms),
            Self::EmpiricalLikelihood(largest) => empirical_likelihood::value(terms, *largest),
            Self::CressieRead(largest) => cressie_read::value(terms, *largest),
        }
    }
}

/// Every estimator this log could feed, by the name under which it is reported.
///
/// Names follow Open Bandit Pipeline and vw-estimators: `ips_clip10` clips at
/// ten, `switch_dr_tau5` switches at five, `dros_l5` shrinks with λ = 5,
/// `sg_ips_l005` with λ = 0.05, `…_tuned_slope` and `…_tuned_mse` choose for
/// themselves, `mips_true_A_B` and `offcem_A_B` weigh by the facets A and B,
/// `mle` is empirical likelihood, `…_wmax100` knows no weight above a hundred.
/// Estimators that lack something fail when asked, with the reason.
#[must_use]
pub fn catalogue(partitions: &[&str]) -> Vec<(String, Method)> {
    let mut methods = linear();
    methods.extend(tuned());
    for partition in partitions {
        let importance = Estimator::importance(Shrinkage::None).over(partition);
        let robust = Estimator::doubly_robust(Shrinkage::None).over(partition);
        methods.push((format!("mips_true_{partition}"), Method::Linear(importance)));
        methods.push((format!("offcem_{partition}"), Method::Linear(robust)));
    }
    let named = [
        ("replay_argmax", Method::Replay),
        ("mle", Method::EmpiricalLikelihood(f64::INFINITY)),
        ("mle_wmax100", Method::EmpiricalLikelihood(100.0)),
        ("cressieread", Method::CressieRead(f64::INFINITY)),
        ("cressieread_wmax100", Method::CressieRead(100.0)),
    ];
    methods.extend(named.map(|(name, method)| (name.to_owned(), method)));
    methods
}

fn linear() -> Vec<(String, Method)> {
    let ips = Estimator::importance;
    let dr = Estimator::doubly_robust;
    [
        ("ips", ips(Shrinkage::None)),
        ("ips_clip10", ips(Shrinkage::Clip(10.0))),
        ("snips", ips(Shrinkage::None).self_normalised()),
        ("dm", dr(Shrinkage::Ignore)),
        ("dr", dr(Shrinkage::None)),
        ("dr_clip10", dr(Shrinkage::Clip(10.0))),
        ("sndr", dr(Shrinkage::None).self_normalised()),
        ("switch_dr_tau2", dr(Shrinkage::Switch(2.0))),
        ("switch_dr_tau5", dr(Shrinkage::Switch(5.0))),
        ("dros_l2", dr(Shrinkage::Optimistic(2.0))),
        ("dros_l5", dr(Shrinkage::Optimistic(5.0))),
        ("dros_l50", dr(Shrinkage::Optimistic(50.0))),
        ("sg_ips_l005", ips(Shrinkage::SubGaussian(0.05))),
        ("sg_dr_l005", dr(Shrinkage::SubGaussian(0.05))),
        // Balanced weights (a density ratio between the two policies' rows) are
        // self-normalised; given the logged ratio itself they are SNIPS.
        ("bipw_given_iw", ips(Shrinkage::None).self_normalised()),
    ]
    .map(|(name, estimator)| (name.to_owned(), Method::Linear(estimator)))
    .into()
}

fn tuned() -> Vec<(String, Method)> {
    let families = [
        ("ips", Family::ClippedImportance),
        ("switch_dr", Family::Switch),
        ("dros", Family::Optimistic),
        ("dr", Family::ClippedDoublyRobust),
    ];
    let criteria = [
        ("slope", Criterion::Slope),
        ("mse", Criterion::MeanSquaredError),
    ];
    let mut methods = Vec::new();
    for (criterion_name, criterion) in criteria {
        for (family_name, family) in families {
            let name = format!("{family_name}_tuned_{criterion_name}");
            methods.push((name, Method::Tuned(family, criterion)));
        }
    }
    methods
}
