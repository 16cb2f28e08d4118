#![allow(clippy::unwrap_used)]
use super::*;

const DEFAULT: &str = include_str!("../../../worlds/default.toml");

#[test]
fn every_shipped_world_is_well_formed_and_named_after_its_file() {
    for (name, text) in World::shipped_files() {
        assert_eq!(World::parse(text).unwrap().name, *name);
    }
    assert_eq!(World::built_in().name, "default");
    assert!(World::shipped("no such world").is_none());
}

#[test]
fn a_wrong_figure_is_refused_by_name() {
    let wrong = DEFAULT.replace("reach = 0.90", "reach = 1.90");
    let error = World::parse(&wrong).unwrap_err().to_string();
    assert_eq!(
        error,
        "channel.sms.reach = 1.9 is not a share between 0 and 1"
    );
    let unknown = DEFAULT.replace("annual = 0.12", "yearly = 0.12");
    let error = World::parse(&unknown).unwrap_err().to_string();
    assert!(error.contains("yearly"), "{error}");
}

#[test]
fn what_is_added_to_a_world_is_checked_too() {
    let with = |text: &str| World::parse(&format!("{DEFAULT}\n{text}")).unwrap_err();
    assert_eq!(
        with("[reporting]\npayment_days = [3, 1]\n").to_string(),
        "reporting.payment_days = [3, 1]: the first number must not exceed the second"
    );
    assert_eq!(
        with("[[market]]\nname = \"a\"\nshare = 0.5\ncountry = \"SE\"\nlanguage = \"sv\"\n"),
        WorldError::Markets(0.5)
    );
    let change = "[[change]]\nfrom_day = 9\neffects = { reach = { sms = -1.0 } }\n";
    assert_eq!(
        with(change).to_string(),
        "change from day 9: reach.sms = -1 must be a number of at least zero"
    );
}

#[test]
fn effects_multiply() {
    let effects = |text: &str| toml::from_str::<Effects>(text).unwrap();
    let one = effects("reach = { sms = 0.5 }\ntone = { firm = 2.0 }\nchurn = 3.0");
    let both = one.and(&effects("reach = { sms = 0.5, email = 0.1 }"));
    assert_eq!(both.reach(Channel::Sms), 0.25);
    assert_eq!(both.reach(Channel::Email), 0.1);
    assert_eq!(both.reach(Channel::Letter), 1.0);
    assert_eq!(both.tone(Tone::Firm), 2.0);
    assert_eq!(both.churn, 3.0);
}
