//! The reference's two-armed experiment: ladder (control) against bandit.

use lagom_model::statistics::{
    Alpha, ArmEstimate, Moments,
    anytime_t::{AnytimeT, PooledComparison, tuned_g},
    asymptotic_cs::AsymptoticCs,
    balance::standardised_mean_difference,
    bayes::{Posterior, Prior},
    cuped::Cuped,
    drift::{KolmogorovSmirnov, Psi},
    effect::Effect,
    heterogeneity::Heterogeneity,
    msprt::{Msprt, StatsigMsprt},
    multiplicity,
    non_inferiority::{AbsoluteMargin, Direction, RelativeMargin},
    proportions::TwoProportions,
    regression::{ArmSample, lin_adjust},
    relative::RelativeLogDelta,
    running::Running,
    srm::{SrmTest, sequential},
    survival::{Durations, RmstDifference},
    winsor::{Cap, CapBase},
};
use serde_json::{Map, Value, json};

use crate::{
    fixed::adjusted,
    tables::{Arm, Customers, Invoices},
};

const ALPHA: Alpha = Alpha::FIVE_PERCENT;
const PLANNED: f64 = 2000.0;
const SHARES: [f64; 2] = [0.5, 0.5];

pub(crate) fn all(customers: &Customers, invoices: &Invoices) -> Value {
    json!({
        "srm": srm(customers),
        "seq_srm": sequential_srm(customers),
        "ladder_vs_bandit": comparison(customers, invoices),
        "daily_cs.collected60": daily(customers),
    })
}

fn value(of: impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap()
}

/// `left` with the members of `right`.
fn with(mut left: Value, right: Value) -> Value {
    let Value::Object(members) = right else {
        panic!("an object")
    };
    left.as_object_mut().unwrap().extend(members);
    left
}

fn moments(arm: &Arm) -> Moments {
    let columns: Vec<&[f64]> = arm.iter().map(Vec::as_slice).collect();
    Moments::of_columns(&columns).unwrap()
}

fn mean_effect(arms: &(Arm, Arm)) -> Effect {
    let [control, treatment] =
        [&arms.0, &arms.1].map(|arm| ArmEstimate::mean(&moments(arm), 0).unwrap());
    Effect::between(&control, &treatment, ALPHA)
}

fn ratio_effect(arms: &(Arm, Arm)) -> Effect {
    let [control, treatment] =
        [&arms.0, &arms.1].map(|arm| ArmEstimate::ratio(&moments(arm), 0, 1).unwrap());
    Effect::between(&control, &treatment, ALPHA)
}

fn mean_of(customers: &Customers, name: &str) -> Effect {
    mean_effect(&customers.split(&[name], |_| true))
}

fn ratio_of(customers: &Customers, numerator: &str, denominator: &str) -> Effect {
    ratio_effect(&customers.split(&[numerator, denominator], |_| true))
}

/// Customers of both arms enrolled up to `day`.
fn sizes(customers: &Customers, day: f64) -> [u64; 2] {
    let enrolled = customers.numbers("enroll_day");
    let (control, treatment) = customers.split(&["enroll_day"], |row| enrolled[row] <= day);
    [control[0].len() as u64, treatment[0].len() as u64]
}

fn last_day(customers: &Customers) -> i32 {
    let enrolled = customers.numbers("enroll_day");
    (0..)
        .take_while(|day| enrolled.iter().any(|d| *d >= f64::from(*day)))
        .last()
        .unwrap()
}

fn srm(customers: &Customers) -> Value {
    let test = SrmTest::of_weights(&sizes(customers, f64::INFINITY), &SHARES).unwrap();
    with(value(test), json!({ "weights": SHARES }))
}

fn sequential_srm(customers: &Customers) -> Value {
    let mut watch = sequential::SequentialSrm::new(&SHARES, sequential::CONCENTRATION).unwrap();
    let by_day: Vec<f64> = (0..=last_day(customers))
        .map(|day| watch.look(&sizes(customers, f64::from(day))).unwrap())
        .collect();
    json!({
        "k": sequential::CONCENTRATION,
        "final_log_bf": watch.log_bf(),
        "final_p": watch.p(),
        "running_min_p": watch.running_min_p(),
        "log_bf_by_day": by_day,
    })
}

fn daily(customers: &Customers) -> Value {
    let enrolled = customers.numbers("enroll_day");
    let sequence = AsymptoticCs::new(ALPHA, PLANNED).unwrap();
    let mut running = Running::default();
    let rows = (0..=last_day(customers)).map(|day| {
        let effect =
            mean_effect(&customers.split(&["collected60"], |row| enrolled[row] <= f64::from(day)));
        let look = sequence.look(
            effect.n_c + effect.n_t,
            effect.absolute.diff,
            effect.absolute.se,
        );
        running.take(&look);
        json!({
            "day": day, "n_c": effect.n_c, "n_t": effect.n_t,
            "diff": effect.absolute.diff, "se": effect.absolute.se,
            "lo": look.ci.low, "hi": look.ci.high, "p": look.p,
            "run_lo": running.ci.low, "run_hi": running.ci.high, "run_min_p": running.min_p,
        })
    });
    rows.collect()
}

fn comparison(customers: &Customers, invoices: &Invoices) -> Value {
    let mut found = Map::new();
    let mut put = |key: &str, of: Value| assert!(found.insert(key.to_owned(), of).is_none());
    for name in ["collected60", "contacts", "churn", "complaint", "fees"] {
        put(&format!("mean.{name}"), value(mean_of(customers, name)));
    }
    let ratios = [
        ("collection_rate", "collected60", "billed"),
        ("dso60", "amount_days60", "billed"),
        ("contacts_per_invoice", "contacts", "invoices"),
        ("inkasso_per_invoice", "inkasso", "invoices"),
        ("fees_per_billed", "fees", "billed"),
    ];
    for (name, numerator, denominator) in ratios {
        put(
            &format!("ratio.{name}"),
            value(ratio_of(customers, numerator, denominator)),
        );
    }
    put(
        "mean.collected60.winsor99_all",
        winsorised(customers, 0.99, CapBase::All),
    );
    put(
        "mean.collected60.winsor999_nonzero",
        winsorised(customers, 0.999, CapBase::Nonzero),
    );
    put("cuped.collected60", cuped(customers));
    put("lin_hc2.collected60", lin(customers));

    let cash = mean_of(customers, "collected60");
    let rate = ratio_of(customers, "collected60", "billed");
    let days = ratio_of(customers, "amount_days60", "billed");
    put("asymp_cs.collected60", sequence(&cash));
    put("asymp_cs.collection_rate", sequence(&rate));
    put("avlm_t.collected60", anytime(&cash));
    put(
        "msprt.collection_rate.tau0.02",
        value(Msprt::of(
            rate.absolute.diff,
            rate.absolute.se,
            0.02 * 0.02,
            ALPHA,
        )),
    );
    for (key, effect) in [("collected60", &cash), ("collection_rate", &rate)] {
        put(
            &format!("msprt.statsig.{key}"),
            value(StatsigMsprt::between(
                &effect.control(),
                &effect.treatment(),
                ALPHA,
            )),
        );
    }
    put("ni.complaint", proportions(customers, "complaint"));
    put("ni.churn", proportions(customers, "churn"));
    put(
        "ni.collected60_rel2pct",
        value(
            RelativeMargin::test(&cash.control(), &cash.treatment(), 0.02, Direction::Higher)
                .unwrap(),
        ),
    );
    put(
        "ni.collection_rate_0.5pp",
        absolute_margin(&rate, 0.005, Direction::Higher),
    );
    put(
        "ni.dso60_0.5d",
        absolute_margin(&days, 0.5, Direction::Lower),
    );
    put("balance.pre_cash", balance(customers));
    put("rmst60.days_after_due", rmst(invoices));
    put("hte.collection_rate", segments(customers));
    put("drift.billed", drift(customers));
    put("bayes.collection_rate.flat", bayes(&rate, Prior::Flat));
    put(
        "bayes.collection_rate.n0_0.3",
        bayes(&rate, Prior::Normal { mean: 0.0, sd: 0.3 }),
    );
    put("multiplicity", family(customers));
    Value::Object(found)
}

fn winsorised(customers: &Customers, order: f64, base: CapBase) -> Value {
    let column = customers.numbers("collected60");
    let cap = Cap::pooled([column.as_slice()], order, base).unwrap();
    let effect = mean_effect(&customers.split_columns(&[cap.clamp(&column)], |_| true));
    with(value(effect), value(cap))
}

fn cuped(customers: &Customers) -> Value {
    let (control, treatment) = customers.split(&["collected60", "pre_cash"], |_| true);
    let cuped = Cuped::adjust(&moments(&control), &moments(&treatment), 0, 1, ALPHA).unwrap();
    with(
        value(&cuped),
        json!({
            "n_c": cuped.control.n, "n_t": cuped.treatment.n,
            "mean_c": cuped.control.mean, "mean_t": cuped.treatment.mean,
            "var_c": cuped.control.variance, "var_t": cuped.treatment.variance,
            "relative_log_delta": RelativeLogDelta::between(&cuped.control, &cuped.treatment, ALPHA),
        }),
    )
}

fn lin(customers: &Customers) -> Value {
    let (control, treatment) = customers.split(&["collected60", "pre_cash"], |_| true);
    let [(y_c, x_c), (y_t, x_t)] =
        [&control, &treatment].map(|arm| (arm[0].as_slice(), [arm[1].as_slice()]));
    fn of<'a>(outcome: &'a [f64], covariates: &'a [&'a [f64]]) -> ArmSample<'a> {
        ArmSample {
            outcome,
            covariates,
        }
    }
    let adjusted = lin_adjust(of(y_c, &x_c), of(y_t, &x_t), ALPHA).unwrap();
    with(
        value(&adjusted),
        json!({ "slope_c": adjusted.slopes_c[0], "slope_t": adjusted.slopes_t[0] }),
    )
}

fn sequence(effect: &Effect) -> Value {
    let sequence = AsymptoticCs::new(ALPHA, PLANNED).unwrap();
    let (units, diff, se) = (
        effect.n_c + effect.n_t,
        effect.absolute.diff,
        effect.absolute.se,
    );
    with(
        value(sequence.look(units, diff, se)),
        json!({
            "rho_exact": sequence.rho_exact(),
            "ci_exact_rho": sequence.look_with(units, diff, se, sequence.rho_exact()).ci,
            "rho_one_sided": sequence.rho_one_sided(),
            "lower_one_sided": sequence.lower_bound(units, diff, se),
            "upper_one_sided": sequence.upper_bound(units, diff, se),
        }),
    )
}

fn anytime(effect: &Effect) -> Value {
    let comparison = PooledComparison::between(&effect.control(), &effect.treatment());
    let units = effect.n_c + effect.n_t;
    with(
        value(comparison),
        json!({
            "g1": AnytimeT::look(&comparison, units, 1.0, ALPHA),
            "g_opt": AnytimeT::look(&comparison, units, tuned_g(units, ALPHA), ALPHA),
        }),
    )
}

fn proportions(customers: &Customers, name: &str) -> Value {
    let (control, treatment) = customers.split(&[name], |_| true);
    let events = |arm: &Arm| arm[0].iter().filter(|v| **v == 1.0).count() as u64;
    let arms = TwoProportions::new(
        events(&control),
        control[0].len() as u64,
        events(&treatment),
        treatment[0].len() as u64,
    )
    .unwrap();
    with(value(arms.compare(ALPHA)), value(arms.not_above(0.01)))
}

fn absolute_margin(effect: &Effect, margin: f64, direction: Direction) -> Value {
    value(
        AbsoluteMargin::test(effect.absolute.diff, effect.absolute.se, margin, direction).unwrap(),
    )
}

fn balance(customers: &Customers) -> Value {
    let effect = mean_of(customers, "pre_cash");
    let smd = standardised_mean_difference(&effect.control(), &effect.treatment());
    with(value(effect), json!({ "smd": smd }))
}

fn rmst(invoices: &Invoices) -> Value {
    let (control, treatment) = (invoices.durations("ladder"), invoices.durations("bandit"));
    let [control, treatment] = [&control, &treatment].map(|(time, event, cluster)| Durations {
        time,
        event,
        cluster,
    });
    value(RmstDifference::between(control, treatment, 60.0, ALPHA).unwrap())
}

fn segments(customers: &Customers) -> Value {
    let names = ["b2b_small", "b2c_loyal", "b2c_new"];
    let effects: Vec<Effect> = names
        .iter()
        .map(|name| {
            ratio_effect(&customers.split(&["collected60", "billed"], |row| {
                customers.segments()[row] == *name
            }))
        })
        .collect();
    let pairs: Vec<(f64, f64)> = effects
        .iter()
        .map(|e| (e.absolute.diff, e.absolute.se))
        .collect();
    let p: Vec<f64> = effects
        .iter()
        .map(|e| e.absolute.z.as_ref().unwrap().p)
        .collect();
    let by_segment: Map<String, Value> = names
        .iter()
        .map(|n| (*n).to_owned())
        .zip(effects.iter().map(value))
        .collect();
    json!({
        "by_segment": by_segment,
        "heterogeneity": Heterogeneity::of(&pairs).unwrap(),
        "holm": multiplicity::holm(&p),
    })
}

fn drift(customers: &Customers) -> Value {
    let (control, treatment) = customers.split(&["billed"], |_| true);
    json!({
        "psi": Psi::between(&control[0], &treatment[0], 10).unwrap(),
        "ks": KolmogorovSmirnov::between(&control[0], &treatment[0]).unwrap(),
    })
}

fn bayes(effect: &Effect, prior: Prior) -> Value {
    let lift = effect.relative_delta.as_ref().unwrap();
    value(Posterior::of(lift.lift, lift.se, prior, ALPHA).unwrap())
}

fn family(customers: &Customers) -> Value {
    let named = [
        (
            "ratio.collection_rate",
            ratio_of(customers, "collected60", "billed"),
        ),
        (
            "ratio.dso60",
            ratio_of(customers, "amount_days60", "billed"),
        ),
        (
            "ratio.contacts_per_invoice",
            ratio_of(customers, "contacts", "invoices"),
        ),
        (
            "ratio.inkasso_per_invoice",
            ratio_of(customers, "inkasso", "invoices"),
        ),
        (
            "ratio.fees_per_billed",
            ratio_of(customers, "fees", "billed"),
        ),
        ("mean.churn", mean_of(customers, "churn")),
        ("mean.complaint", mean_of(customers, "complaint")),
    ];
    let p: Vec<f64> = named
        .iter()
        .map(|(_, e)| e.absolute.z.as_ref().unwrap().p)
        .collect();
    with(
        adjusted(&p),
        json!({ "names": named.map(|(name, _)| name) }),
    )
}
