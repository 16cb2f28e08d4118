//! Facets of the actions (channel, timing, tone …) and partitions by them.

use super::error::OpeError;

/// Categorical attributes of `K` actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    names: Vec<String>,
    /// `levels[f][a]`: the level of facet `f` for action `a`.
    levels: Vec<Vec<u32>>,
    actions: usize,
}

/// Actions grouped by one or several facets: two actions share a group when
/// they share the level of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The facets' names joined by `_`, or `all`.
    pub name: String,
    group_of: Vec<u32>,
}

impl Facets {
    /// Facets by name, each with the level of every action (`K` levels a facet).
    ///
    /// # Errors
    /// Facets that do not agree on the number of actions.
    pub fn new(facets: Vec<(String, Vec<u32>)>) -> Result<Self, OpeError> {
        let actions = facets.first().map_or(0, |(_, levels)| levels.len());
        if let Some((_, odd)) = facets.iter().find(|(_, levels)| levels.len() != actions) {
            return Err(OpeError::Shape {
                what: "a facet",
                unit: "actions",
                found: odd.len(),
                expected: actions,
            });
        }
        let (names, levels) = facets.into_iter().unzip();
        Ok(Self {
            names,
            levels,
            actions,
        })
    }

    /// The number of actions, `K`.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// The facets' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The level of one facet for every action.
    ///
    /// # Errors
    /// No facet of that name.
    pub fn levels(&self, name: &str) -> Result<&[u32], OpeError> {
        let found = self.names.iter().position(|known| known == name);
        let position = found.ok_or_else(|| OpeError::Facet {
            name: name.to_owned(),
            known: self.names.join(", "),
        })?;
        Ok(&self.levels[position])
    }

    /// The partition of the actions by these facets together.
    ///
    /// # Errors
    /// No facet of one of the names.
    pub fn partition(&self, names: &[&str]) -> Result<Partition, OpeError> {
        let columns = names
            .iter()
            .map(|name| self.levels(name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut keys: Vec<Vec<u32>> = Vec::new();
        let group_of = (0..self.actions)
            .map(|action| {
                let key: Vec<u32> = columns.iter().map(|levels| levels[action]).collect();
                let group = keys.iter().position(|known| *known == key);
                let group = group.unwrap_or_else(|| {
                    keys.push(key);
                    keys.len() - 1
                });
                u32::try_from(group).expect("groups are no more than the actions, which are u32")
            })
            .collect();
        Ok(Partition {
            name: names.join("_"),
            group_of,
        })
    }

    /// Every single facet, every pair, and all together (named `all`) where
    /// that is more than a pair.
    #[must_use]
    pub fn partitions(&self) -> Vec<Partition> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let mut chosen: Vec<Vec<&str>> = names.iter().map(|name| vec![*name]).collect();
        for (position, first) in names.iter().enumerate() {
            for second in &names[position + 1..] {
                chosen.push(vec![*first, *second]);
            }
        }
        let mut partitions: Vec<Partition> = chosen
            .iter()
            .filter_map(|subset| self.partition(subset).ok())
            .collect();
        if names.len() > 2
            && let Ok(mut all) = self.partition(&names)
        {
            "all".clone_into(&mut all.name);
            partitions.push(all);
        }
        partitions
    }
}

impl Partition {
    /// Probability of the group that holds `action` under `probabilities` (length `K`).
    ///
    /// ```text
    /// p(g(a)) = Σ_{b : g(b) = g(a)} p(b)
    /// ```
    #[must_use]
    pub fn mass(&self, action: usize, probabilities: &[f64]) -> f64 {
        let group = self.group_of[action];
        self.group_of
            .iter()
            .zip(probabilities)
            .filter(|(member, _)| **member == group)
            .map(|(_, probability)| probability)
            .sum()
    }
}
