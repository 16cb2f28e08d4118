//! The plan of an experiment that comes without one.

use std::fmt::Write;

/// A plan over the facts that every log has: collection and speed as goals; complaints, churn,
/// collection cases and net value as guardrails; the rest is shown. Fees have no good direction.
///
/// It names no size, so that its verdict rests on intervals that hold at every look.
#[must_use]
pub fn default_plan(experiment: &str, control: &str, shares: &[(String, f64)]) -> String {
    let mut text = format!(
        "experiment = {}\ncontrol = {}\ninterval = \"sequential\"\n",
        quoted(experiment),
        quoted(control)
    );
    text += "\n[columns]\ncustomer = \"customer_id\"\narm = \"arm\"\nenrolled = \"exposed_day\"\n";
    if !shares.is_empty() {
        text += "\n[shares]\n";
        for (arm, share) in shares {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{} = {share}", quoted(arm));
        }
    }
    text += METRICS;
    text
}

fn quoted(name: &str) -> String {
    toml::Value::String(name.to_owned()).to_string()
}

const METRICS: &str = r#"
[[metrics]]
name = "collection_rate"
role = "success"
direction = "higher"
numerator = "collected"
denominator = "billed"

[[metrics]]
name = "days_outstanding"
role = "success"
direction = "lower"
numerator = "amount_days"
denominator = "billed"

[[metrics]]
name = "value"
role = "guardrail"
direction = "higher"
value = "value"
margin = { relative = 0.02 }
winsorise = { quantile = 0.99 }
covariates = ["paid_before"]

[[metrics]]
name = "complaint"
role = "guardrail"
direction = "lower"
value = "complaint"
margin = { absolute = 0.01 }

[[metrics]]
name = "churn"
role = "guardrail"
direction = "lower"
value = "churn"
margin = { absolute = 0.01 }

[[metrics]]
name = "opt_out"
role = "guardrail"
direction = "lower"
value = "opt_out"
margin = { absolute = 0.01 }

[[metrics]]
name = "collection_cases"
direction = "lower"
value = "collection_cases"

[[metrics]]
name = "support_contacts"
direction = "lower"
value = "support_contacts"

[[metrics]]
name = "messages"
direction = "not_judged"
value = "messages"

[[metrics]]
name = "fees"
direction = "not_judged"
value = "fees"

[[metrics]]
name = "cost"
direction = "lower"
value = "cost"

[[segments]]
column = "segment"
smallest = 100
"#;
