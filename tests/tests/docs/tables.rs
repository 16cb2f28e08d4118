//! Small tables of the names that the documents use, drawn with a seed. The content of a table, not
//! its name, tells whether it is compressed: none of these is.

use std::fmt::Write;
use std::path::Path;

/// A linear congruential generator: enough for a table that only has to be read.
struct Draw(u64);

impl Draw {
    /// In [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }
}

/// Writes every table into `folder`.
pub(crate) fn write(folder: &Path) {
    let file = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    let draw = &mut Draw(7);
    file("churn.csv", churn(draw));
    file("log.csv", log(draw));
    file("customers.csv", customers(draw));
    file("plan.toml", plan());
    std::fs::create_dir_all(folder.join("rounds")).unwrap();
    rounds(draw, &folder.join("rounds"));
    let (stream, order) = stream(draw);
    file("stream.csv.gz", stream);
    file("order.csv.gz", order);
    file("lagom.toml", "[learning]\nwindow_days = 30\n".to_owned());
    file(
        "stricter.toml",
        "[guardrails]\npacks = [\"SE\"]\n".to_owned(),
    );
}

fn churn(draw: &mut Draw) -> String {
    let mut text = "tenure,plan,charge,Churn\n".to_owned();
    for _ in 0..400 {
        let tenure = draw.below(72);
        let plan = ["month", "year"][draw.below(2)];
        let leaves = draw.next() < if tenure < 20 { 0.5 } else { 0.15 };
        let answer = if leaves { "Yes" } else { "No" };
        let charge = 20.0 + 80.0 * draw.next();
        writeln!(text, "{tenure},{plan},{charge:.2},{answer}").unwrap();
    }
    text
}

fn log(draw: &mut Draw) -> String {
    let mut text = "recency,channel,arm,visit\n".to_owned();
    for _ in 0..900 {
        let arm = draw.below(3);
        let visit = u8::from(draw.next() < [0.1, 0.2, 0.15][arm]);
        let (recency, channel) = (draw.below(12), ["web", "phone"][draw.below(2)]);
        writeln!(text, "{recency},{channel},arm{arm},{visit}").unwrap();
    }
    text
}

fn customers(draw: &mut Draw) -> String {
    let mut text = "customer_id,arm,billed,collected60,complaint\n".to_owned();
    for customer in 0..600 {
        let arm = ["ladder", "bandit"][draw.below(2)];
        let billed = 100.0 + 900.0 * draw.next();
        let collected = billed * (0.7 + 0.3 * draw.next());
        let complaint = u8::from(draw.next() < 0.05);
        writeln!(
            text,
            "{customer},{arm},{billed:.2},{collected:.2},{complaint}"
        )
        .unwrap();
    }
    text
}

fn plan() -> String {
    "experiment = \"bandit against ladder\"\ncontrol = \"ladder\"\nplanned_customers = 600\n\
     [columns]\ncustomer = \"customer_id\"\narm = \"arm\"\n\
     [shares]\nladder = 0.5\nbandit = 0.5\n\
     [[metrics]]\nname = \"collection_rate\"\nrole = \"success\"\ndirection = \"higher\"\n\
     numerator = \"collected60\"\ndenominator = \"billed\"\n\
     [[metrics]]\nname = \"complaint\"\nrole = \"guardrail\"\ndirection = \"lower\"\n\
     value = \"complaint\"\nmargin = { absolute = 0.05 }\n"
        .to_owned()
}

fn rounds(draw: &mut Draw, folder: &Path) {
    let mut log = "round,action,reward,pscore,x0\n".to_owned();
    let header = "a0,a1,a2\n";
    let (mut pi_b, mut pi_e) = (header.to_owned(), header.to_owned());
    for round in 0..500 {
        let action = draw.below(3);
        let reward = u8::from(draw.next() < [0.2, 0.4, 0.3][action]);
        let third = 1.0 / 3.0;
        writeln!(log, "{round},{action},{reward},{third},{}", draw.next()).unwrap();
        writeln!(pi_b, "{third},{third},{third}").unwrap();
        pi_e += "0.125,0.75,0.125\n";
    }
    for (name, text) in [("log", log), ("pi_b", pi_b), ("pi_e", pi_e)] {
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
}

fn stream(draw: &mut Draw) -> (String, String) {
    let mut stream = "f0,f1,label\n".to_owned();
    let mut order = "seed0,seed1\n".to_owned();
    let n = 200;
    for row in 0..n {
        let label = draw.below(2);
        let near = 0.5 * label as f64 + 0.5 * draw.next();
        writeln!(stream, "{near},{},{label}", draw.next()).unwrap();
        writeln!(order, "{row},{}", n - 1 - row).unwrap();
    }
    (stream, order)
}
