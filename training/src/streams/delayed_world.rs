//! A stream of structured actions under constraints, with the truth that made it.

use std::path::Path;

use lagom_model::bandit::{ActionSet, ActionSpace, Facet};

use super::error::StreamError;
use crate::flat_table::{FlatTable, ReadOptions, Values};

/// Structured actions, contexts, eligibility, common random numbers, and the truth.
///
/// ```text
/// q(x, a) = sigmoid( ½ x' W f_a + b' f_a − 1 )        reward of seed s in round t: 1 where u[t, s] < q
/// ```
#[derive(Debug, Clone)]
pub struct DelayedWorld {
    /// The catalogue: channel × timing × tone.
    pub space: ActionSpace,
    /// Names of the context's entries.
    pub context_names: Vec<String>,
    /// Contexts, round after round.
    pub contexts: Vec<f64>,
    /// What may be chosen in each round.
    pub eligible: Vec<ActionSet>,
    /// Name and random numbers of each seed.
    pub seeds: Vec<(String, Vec<f64>)>,
    /// True success probability of every action, round after round.
    pub truth: Vec<f64>,
}

impl DelayedWorld {
    /// Reads `actions.csv`, `contexts.csv.gz`, `elig.csv.gz`, `u.csv.gz` and `truth_w.csv` of a folder.
    ///
    /// # Errors
    /// When a file cannot be read or two files do not belong together.
    pub fn read(folder: &Path) -> Result<Self, StreamError> {
        let actions = Actions::read(&folder.join("actions.csv"))?;
        let (context_names, contexts) = matrix(&folder.join("contexts.csv.gz"))?;
        let rounds = contexts.len() / context_names.len().max(1);
        let eligible = eligible(&folder.join("elig.csv.gz"), &actions, rounds)?;
        let path = folder.join("u.csv.gz");
        let table = FlatTable::read(&path, &ReadOptions::default())?;
        expect(&path, "rows", table.rows(), rounds)?;
        let seeds = table
            .columns()
            .iter()
            .map(|column| Ok((column.name.clone(), table.numbers(&column.name)?.to_vec())))
            .collect::<Result<_, StreamError>>()?;
        let truth = truth(
            &folder.join("truth_w.csv"),
            &actions,
            &contexts,
            context_names.len(),
        )?;
        Ok(Self {
            space: actions.space,
            context_names,
            contexts,
            eligible,
            seeds,
            truth,
        })
    }

    /// Number of rounds.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.eligible.len()
    }

    /// Context of one round.
    #[must_use]
    pub fn context(&self, round: usize) -> &[f64] {
        let width = self.context_names.len();
        &self.contexts[round * width..(round + 1) * width]
    }

    /// True success probability of an action in a round.
    #[must_use]
    pub fn success(&self, round: usize, action: usize) -> f64 {
        self.truth[round * self.space.len() + action]
    }
}

struct Actions {
    space: ActionSpace,
    levels: Vec<[usize; 3]>,
    /// Named features of each action.
    features: Vec<Vec<(String, f64)>>,
}

impl Actions {
    fn read(path: &Path) -> Result<Self, StreamError> {
        let table = FlatTable::read(path, &ReadOptions::default())?;
        let columns = [
            indices(&table, path, "channel")?,
            indices(&table, path, "timing")?,
            indices(&table, path, "tone")?,
        ];
        let levels: Vec<[usize; 3]> = (0..table.rows())
            .map(|row| [columns[0][row], columns[1][row], columns[2][row]])
            .collect();
        let facet = |name: &str, at: usize| {
            let count = columns[at].iter().max().map_or(0, |highest| highest + 1);
            Facet::contextual(name, (0..count).map(|level| level.to_string()))
        };
        let facets = vec![facet("channel", 0), facet("timing", 1), facet("tone", 2)];
        let actions = levels
            .iter()
            .map(|own| own.iter().map(|&level| level as u16).collect())
            .collect();
        Ok(Self {
            space: ActionSpace::new(facets, actions, None)?,
            features: features(&table, path)?,
            levels,
        })
    }
}

/// A column of small whole numbers.
fn indices(table: &FlatTable, path: &Path, name: &str) -> Result<Vec<usize>, StreamError> {
    let read = |(row, &number): (usize, &f64)| {
        if number.fract() == 0.0 && (0.0..65_536.0).contains(&number) {
            return Ok(number as usize);
        }
        Err(StreamError::Cell {
            file: path.display().to_string(),
            row,
            column: name.to_owned(),
            found: number.to_string(),
            expected: "a whole number from 0 to 65535".to_owned(),
        })
    };
    table.numbers(name)?.iter().enumerate().map(read).collect()
}

/// The column `features`: `name:value` pairs separated by spaces.
fn features(table: &FlatTable, path: &Path) -> Result<Vec<Vec<(String, f64)>>, StreamError> {
    let cell = |row: usize, found: &str| StreamError::Cell {
        file: path.display().to_string(),
        row,
        column: "features".to_owned(),
        found: found.to_owned(),
        expected: "name:value pairs separated by spaces".to_owned(),
    };
    let Values::Text(texts) = &table.column("features")?.values else {
        return Err(cell(0, "numbers"));
    };
    let parse = |(row, text): (usize, &Option<String>)| {
        let text = text.as_deref().unwrap_or_default();
        text.split_whitespace()
            .map(|pair| {
                let (name, value) = pair.split_once(':').ok_or_else(|| cell(row, pair))?;
                let value = value.parse().map_err(|_| cell(row, pair))?;
                Ok((name.to_owned(), value))
            })
            .collect()
    };
    texts.iter().enumerate().map(parse).collect()
}

/// A table of numbers, row after row.
fn matrix(path: &Path) -> Result<(Vec<String>, Vec<f64>), StreamError> {
    let table = FlatTable::read(path, &ReadOptions::default())?;
    let names: Vec<String> = table
        .columns()
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let mut values = vec![0.0; names.len() * table.rows()];
    for (at, name) in names.iter().enumerate() {
        for (row, &number) in table.numbers(name)?.iter().enumerate() {
            values[row * names.len() + at] = number;
        }
    }
    Ok((names, values))
}

fn expect(
    path: &Path,
    what: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), StreamError> {
    if found == expected {
        return Ok(());
    }
    Err(StreamError::Count {
        file: path.display().to_string(),
        what,
        found,
        expected,
    })
}

/// Columns `ch0 …` and `ti0 …`: every action of an ineligible channel or timing is off.
fn eligible(path: &Path, actions: &Actions, rounds: usize) -> Result<Vec<ActionSet>, StreamError> {
    let table = FlatTable::read(path, &ReadOptions::default())?;
    expect(path, "rows", table.rows(), rounds)?;
    let facets = actions.space.facets();
    let flags = |prefix: &str, levels: usize| {
        (0..levels)
            .map(|level| Ok(table.numbers(&format!("{prefix}{level}"))?))
            .collect::<Result<Vec<&[f64]>, StreamError>>()
    };
    let channels = flags("ch", facets[0].levels.len())?;
    let timings = flags("ti", facets[1].levels.len())?;
    let allowed = |round: usize| {
        ActionSet::from_predicate(actions.levels.len(), |action| {
            let [channel, timing, _] = actions.levels[action];
            channels[channel][round] > 0.5 && timings[timing][round] > 0.5
        })
    };
    Ok((0..rounds).map(allowed).collect())
}

/// Evaluates the truth; the first row of its file is `b`, the others are the rows of `W`.
fn truth(
    path: &Path,
    actions: &Actions,
    contexts: &[f64],
    width: usize,
) -> Result<Vec<f64>, StreamError> {
    let (names, rows) = matrix(path)?;
    expect(path, "rows", rows.len() / names.len().max(1), width + 1)?;
    let mut loadings = vec![0.0; actions.features.len() * (width + 1)];
    for (loading, features) in loadings.chunks_mut(width + 1).zip(&actions.features) {
        for (name, value) in features {
            let column = names.iter().position(|known| known == name);
            let column = column.ok_or_else(|| StreamError::Cell {
                file: path.display().to_string(),
                row: 0,
                column: name.clone(),
                found: "no such column".to_owned(),
                expected: "a column for every feature of actions.csv".to_owned(),
            })?;
            for (row, sum) in loading.iter_mut().enumerate() {
                *sum += value * rows[row * names.len() + column];
            }
        }
    }
    let success = |context: &[f64], loading: &[f64]| {
        let by_context: f64 = context.iter().zip(&loading[1..]).map(|(x, w)| x * w).sum();
        1.0 / (1.0 + (-(0.5 * by_context + loading[0] - 1.0)).exp())
    };
    Ok(contexts
        .chunks_exact(width)
        .flat_map(|context| {
            loadings
                .chunks_exact(width + 1)
                .map(move |loading| success(context, loading))
        })
        .collect())
}
