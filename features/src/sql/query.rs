//! A query in steps: each a named table of rows that later steps read.

use std::fmt::Write;

/// A named table of rows on the way to the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, by which later steps read it.
    pub name: String,
    /// Its columns in parentheses, where its rows do not name them; else empty.
    pub columns: &'static str,
    /// The query of its rows.
    pub sql: String,
    /// How many steps read it, the last one included.
    pub readers: usize,
}

impl Step {
    /// The statement that makes it in a session of Spark, unless it [is kept](Self::is_kept).
    #[must_use]
    pub fn view(&self) -> String {
        let Self {
            name, columns, sql, ..
        } = self;
        format!("CREATE OR REPLACE TEMPORARY VIEW {name}{columns} AS\n{sql}")
    }

    /// Whether several steps read it, so that its rows are to be computed once. They are to be read from
    /// files then: a view, and a cached table of Spark's as well, is analysed anew for each reader with all
    /// that it reads, which comes to many times the work of the query.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.readers > 1 && self.columns.is_empty()
    }
}

/// Steps and the last of them, the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    steps: Vec<Step>,
    answer: String,
}

impl Query {
    /// Adds a step that names its columns.
    pub(super) fn step(&mut self, name: &str, sql: impl Into<String>) {
        self.rows(name, "", sql.into());
    }

    /// Adds a step of rows whose columns are named beside it.
    pub(super) fn rows(&mut self, name: &str, columns: &'static str, sql: String) {
        self.read(&sql);
        self.steps.push(Step {
            name: name.to_owned(),
            columns,
            sql,
            readers: 0,
        });
    }

    /// Ends it.
    pub(super) fn end(&mut self, answer: String) {
        self.read(&answer);
        self.answer = answer;
    }

    fn read(&mut self, sql: &str) {
        for step in &mut self.steps {
            let name = step.name.as_str();
            step.readers += usize::from(["FROM", "JOIN"].iter().any(|from| {
                let reads =
                    |at: &str| !at.starts_with(|next: char| next == '_' || next.is_alphanumeric());
                sql.split(&format!("{from} {name}")).skip(1).any(reads)
            }));
        }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn answer(&self) -> &str {
        &self.answer
    }

    /// All of it as one query.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (place, step) in self.steps.iter().enumerate() {
            let Step {
                name, columns, sql, ..
            } = step;
            let with = if place == 0 { "WITH " } else { ",\n" };
            write!(text, "{with}{name}{columns} AS (\n  {sql}\n)")
                .expect("writing to a string cannot fail");
        }
        text + "\n" + &self.answer
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn readers_are_counted_by_whole_names() {
        let mut query = Query::default();
        query.rows("day", " (a)", "VALUES (1)".to_owned());
        query.step("day_after", "SELECT a FROM day AS d\nJOIN day ON 1 = 1");
        query.step("other", "SELECT a FROM day_after");
        query.end("SELECT a FROM other\nLEFT JOIN day_after ON 1 = 1\nJOIN day".to_owned());
        let readers: Vec<usize> = query.steps().iter().map(|step| step.readers).collect();
        assert_eq!(readers, [2, 2, 1]);
        assert!(
            query
                .text()
                .starts_with("WITH day (a) AS (\n  VALUES (1)\n),\nday_after AS (\n")
        );
    }
}
