//! Where each coefficient lives: blocks of the normal equations, and each action's rows in them.

use serde::{Deserialize, Serialize};

use super::action_space::ActionSpace;
use super::digest::{Digest, DigestWriter};
use super::error::BanditError;

/// What a coefficient belongs to; the prior shrinks each kind by its own scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What happens whatever is done: the constant part.
    Baseline,
    /// What happens whatever is done, by context.
    BaselineContext,
    /// The same effect of a level for everybody.
    Level,
    /// How the effect of a level depends on the context.
    LevelContext,
    /// What two levels do together beyond their sum.
    Pair,
    /// The constant of an action that shares nothing with others.
    Own,
    /// How the value of such an action depends on the context.
    OwnContext,
}

/// What an atom stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtomKind {
    /// The part common to all actions.
    Baseline,
    /// A level of a facet.
    Level {
        /// Index of the facet.
        facet: usize,
        /// Index of its level.
        level: usize,
    },
    /// A pair of levels, by its index in [`ActionSpace::pairs`].
    Pair(usize),
}

/// A part of an action with coefficients of its own: one constant and, if `contextual`, one for each
/// entry of the context, next to each other from `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Atom {
    /// What it stands for.
    pub kind: AtomKind,
    /// Which block of the normal equations.
    pub block: usize,
    /// Where its constant is within the block.
    pub offset: usize,
    /// Whether the context's coefficients follow.
    pub contextual: bool,
}

/// The shape of the linear model: `y_h ≈ φ(x, a)' w_h` for every head `h`.
///
/// ```text
/// φ(x, a) = [1, x]                            baseline (composed catalogues only)
///         ⊕ [1, x] at each level of a         (or 1 alone where the facet is not contextual)
///         ⊕ 1 at each pair of levels of a
/// ```
/// A plain catalogue has no baseline and falls apart into one block an action, so that learning one
/// costs nothing for the others; a composed one is a single block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Shape", into = "Shape")]
pub struct Layout {
    space: ActionSpace,
    context: Vec<String>,
    heads: Vec<String>,
    atoms: Vec<Atom>,
    /// Atoms of each action, by ascending offset.
    atoms_of: Vec<Vec<u32>>,
    dimensions: Vec<usize>,
    digest: Digest,
}

/// What is stored of a [`Layout`].
#[derive(Clone, Serialize, Deserialize)]
struct Shape {
    space: ActionSpace,
    context: Vec<String>,
    heads: Vec<String>,
}

impl Layout {
    /// The layout of a catalogue over named context entries and named heads.
    ///
    /// # Errors
    /// When there is no head.
    pub fn new(
        space: ActionSpace,
        context: Vec<String>,
        heads: Vec<String>,
    ) -> Result<Self, BanditError> {
        if heads.is_empty() {
            return Err(BanditError::EmptyCatalogue {
                missing: "head to predict",
            });
        }
        let mut placed = Placement::new(&space, context.len());
        if space.is_composed() {
            placed.compose();
        } else {
            placed.separate();
        }
        let Placement {
            atoms,
            atoms_of,
            dimensions,
            ..
        } = placed;
        let digest = digest(&space, &context, &heads);
        Ok(Self {
            space,
            context,
            heads,
            atoms,
            atoms_of,
            dimensions,
            digest,
        })
    }

    /// The catalogue.
    #[must_use]
    pub fn space(&self) -> &ActionSpace {
        &self.space
    }

    /// Names of the context's entries.
    #[must_use]
    pub fn context(&self) -> &[String] {
        &self.context
    }

    /// Names of the heads.
    #[must_use]
    pub fn heads(&self) -> &[String] {
        &self.heads
    }

    /// All atoms.
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// Indices of the atoms one action is made of, by ascending offset.
    #[must_use]
    pub fn atoms_of(&self, action: usize) -> &[u32] {
        &self.atoms_of[action]
    }

    /// Number of coefficients of each block.
    #[must_use]
    pub fn dimensions(&self) -> &[usize] {
        &self.dimensions
    }

    /// The block an action's coefficients are in.
    #[must_use]
    pub fn block_of(&self, action: usize) -> usize {
        self.atoms_of[action]
            .first()
            .map_or(0, |&atom| self.atoms[atom as usize].block)
    }

    /// The actions whose rounds make up a block's equations, ascending.
    pub fn actions_of(&self, block: usize) -> std::ops::Range<usize> {
        if self.space.is_composed() {
            0..self.space.len()
        } else {
            block..block + 1
        }
    }

    /// Identity of the layout: sums and weights of another are refused.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The role of every coefficient of one block, in order.
    #[must_use]
    pub fn roles(&self, block: usize) -> Vec<Role> {
        let mut roles = Vec::with_capacity(self.dimensions[block]);
        for atom in self.atoms.iter().filter(|atom| atom.block == block) {
            let (constant, context) = match atom.kind {
                AtomKind::Baseline => (Role::Baseline, Role::BaselineContext),
                AtomKind::Level { .. } if self.space.is_composed() => {
                    (Role::Level, Role::LevelContext)
                }
                AtomKind::Level { .. } => (Role::Own, Role::OwnContext),
                AtomKind::Pair(_) => (Role::Pair, Role::Pair),
            };
            roles.push(constant);
            if atom.contextual {
                roles.extend(std::iter::repeat_n(context, self.context.len()));
            }
        }
        roles
    }

    /// Refuses a context of another length.
    ///
    /// # Errors
    /// When `context` has not one entry for each name.
    pub fn check_context(&self, context: &[f64]) -> Result<(), BanditError> {
        if context.len() == self.context.len() {
            return Ok(());
        }
        Err(BanditError::Length {
            what: "the context",
            found: context.len(),
            expected: self.context.len(),
        })
    }

    /// Refuses an index outside the catalogue.
    ///
    /// # Errors
    /// When there is no such action.
    pub fn check_action(&self, action: usize) -> Result<(), BanditError> {
        if action < self.space.len() {
            return Ok(());
        }
        Err(BanditError::UnknownAction {
            action,
            actions: self.space.len(),
        })
    }
}

/// Atoms as they are placed one after another.
struct Placement<'a> {
    space: &'a ActionSpace,
    context: usize,
    atoms: Vec<Atom>,
    atoms_of: Vec<Vec<u32>>,
    dimensions: Vec<usize>,
}

impl<'a> Placement<'a> {
    fn new(space: &'a ActionSpace, context: usize) -> Self {
        Self {
            space,
            context,
            atoms: Vec::new(),
            atoms_of: vec![Vec::new(); space.len()],
            dimensions: Vec::new(),
        }
    }

    fn place(&mut self, kind: AtomKind, block: usize, contextual: bool) -> u32 {
        if block == self.dimensions.len() {
            self.dimensions.push(0);
        }
        let offset = self.dimensions[block];
        self.dimensions[block] += if contextual { 1 + self.context } else { 1 };
        self.atoms.push(Atom {
            kind,
            block,
            offset,
            contextual,
        });
        (self.atoms.len() - 1) as u32
    }

    /// One block an action, nothing shared.
    fn separate(&mut self) {
        let contextual = self.space.facets()[0].contextual;
        for action in 0..self.space.len() {
            let level = usize::from(self.space.levels(action)[0]);
            let kind = AtomKind::Level { facet: 0, level };
            let atom = self.place(kind, action, contextual);
            self.atoms_of[action].push(atom);
        }
    }

    /// One block: baseline, then the levels in use, then the pairs.
    fn compose(&mut self) {
        let space = self.space;
        let baseline = self.place(AtomKind::Baseline, 0, true);
        for own in &mut self.atoms_of {
            own.push(baseline);
        }
        let effects = || (0..space.len()).filter(move |&action| space.reference() != Some(action));
        for (facet, declared) in space.facets().iter().enumerate() {
            for level in 0..declared.levels.len() {
                let has_level = |action: &usize| usize::from(space.levels(*action)[facet]) == level;
                let mut members = effects().filter(has_level).peekable();
                if members.peek().is_none() {
                    continue;
                }
                let kind = AtomKind::Level { facet, level };
                let atom = self.place(kind, 0, declared.contextual);
                for action in members {
                    self.atoms_of[action].push(atom);
                }
            }
        }
        let first_pair = self.atoms.len() as u32;
        for pair in 0..space.pairs().len() {
            self.place(AtomKind::Pair(pair), 0, false);
        }
        for action in effects() {
            let pairs = space.pairs_of(action).iter().map(|&pair| first_pair + pair);
            self.atoms_of[action].extend(pairs);
        }
        for own in &mut self.atoms_of {
            own.sort_unstable();
        }
    }
}

fn digest(space: &ActionSpace, context: &[String], heads: &[String]) -> Digest {
    let mut writer = DigestWriter::new("lagom bandit layout 1");
    writer.count(space.facets().len());
    for facet in space.facets() {
        writer.text(&facet.name);
        writer.count(usize::from(facet.contextual));
        writer.texts(&facet.levels);
    }
    writer.count(space.len());
    for action in 0..space.len() {
        for &level in space.levels(action) {
            writer.count(usize::from(level));
        }
    }
    writer.count(space.reference().map_or(0, |action| action + 1));
    writer.texts(context);
    writer.texts(heads);
    writer.finish()
}

impl TryFrom<Shape> for Layout {
    type Error = BanditError;

    fn try_from(stored: Shape) -> Result<Self, BanditError> {
        Self::new(stored.space, stored.context, stored.heads)
    }
}

impl From<Layout> for Shape {
    fn from(layout: Layout) -> Self {
        Self {
            space: layout.space,
            context: layout.context,
            heads: layout.heads,
        }
    }
}
