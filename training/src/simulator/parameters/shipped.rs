//! The worlds that come with lagom.

use super::World;

/// Name and text of each, in the order in which they are shown.
static FILES: [(&str, &str); 10] = [
    ("default", include_str!("../../../worlds/default.toml")),
    (
        "nothing-works",
        include_str!("../../../worlds/nothing-works.toml"),
    ),
    (
        "gentle-wins",
        include_str!("../../../worlds/gentle-wins.toml"),
    ),
    (
        "firm-wins-late",
        include_str!("../../../worlds/firm-wins-late.toml"),
    ),
    (
        "channel-broken",
        include_str!("../../../worlds/channel-broken.toml"),
    ),
    ("drift", include_str!("../../../worlds/drift.toml")),
    (
        "adversarial-delay",
        include_str!("../../../worlds/adversarial-delay.toml"),
    ),
    (
        "business-customers",
        include_str!("../../../worlds/business-customers.toml"),
    ),
    ("tiny-data", include_str!("../../../worlds/tiny-data.toml")),
    (
        "two-markets",
        include_str!("../../../worlds/two-markets.toml"),
    ),
];

impl World {
    /// The default world.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(FILES[0].1).expect("the built-in world is checked by a test")
    }

    /// Name and text of every world that comes with lagom.
    #[must_use]
    pub fn shipped_files() -> &'static [(&'static str, &'static str)] {
        &FILES
    }

    /// The world of this name, if one comes with lagom.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, text) = FILES.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(text).expect("every shipped world is checked by a test"))
    }

    /// Digest of a world file's text.
    #[must_use]
    pub fn digest(text: &str) -> String {
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
    }

    /// Whether what messages do changes on the way.
    #[must_use]
    pub fn changes(&self) -> bool {
        !self.change.is_empty()
    }
}
