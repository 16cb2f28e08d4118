//! What only a terminal shows: progress bars on stderr, and colours.

use std::io::{self, IsTerminal};

/// Whether text may be coloured there: on a terminal, unless `NO_COLOR` says otherwise.
fn coloured(terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    terminal && !refused && !dumb
}

/// A word that a failure begins with, on stderr.
pub(super) fn alarming(word: &str) -> String {
    painted(word, "31", coloured(io::stderr().is_terminal()))
}

/// A word that leads on, on stdout.
pub(super) fn leading(word: &str) -> String {
    painted(word, "32", coloured(io::stdout().is_terminal()))
}

fn painted(word: &str, colour: &str, coloured: bool) -> String {
    if coloured {
        format!("\u{1b}[{colour}m{word}\u{1b}[0m")
    } else {
        word.to_owned()
    }
}

#[cfg(feature = "training")]
pub(super) use bars::{progress, show};

#[cfg(feature = "training")]
mod bars {
    use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
    use lagom_training::progress::{Bar, Watcher, watch};
    use std::io::{self, IsTerminal};
    use std::sync::LazyLock;
    use std::time::Duration;

    /// Every bar of the process, so that none is drawn over another.
    static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

    /// How often a bar is drawn again while nothing moves, so that time goes on.
    const TICK: Duration = Duration::from_millis(250);

    /// Shows the progress of long work as bars, where stderr is a terminal.
    pub(crate) fn show() {
        if io::stderr().is_terminal() {
            watch(Box::new(Bars));
        }
    }

    struct Bars;

    impl Watcher for Bars {
        fn begin(&self, what: &'static str, unit: &'static str, total: u64) -> Box<dyn Bar> {
            let bar = BARS.add(ProgressBar::new(total).with_style(style(unit, total)));
            bar.set_message(what);
            bar.enable_steady_tick(TICK);
            Box::new(Shown(bar))
        }
    }

    struct Shown(ProgressBar);

    impl Bar for Shown {
        fn advance(&self, steps: u64) {
            self.0.inc(steps);
        }
    }

    impl Drop for Shown {
        fn drop(&mut self) {
            self.0.finish_and_clear();
        }
    }

    /// A bar over `length` steps: only on a terminal, and never into a log.
    pub(crate) fn progress(length: u64, unit: &'static str) -> ProgressBar {
        if !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = BARS.add(ProgressBar::new(length).with_style(style(unit, 1)));
        bar.enable_steady_tick(TICK);
        bar
    }

    /// Of work whose size is not known only the time so far can be told.
    fn style(unit: &str, total: u64) -> ProgressStyle {
        let form = if total == 0 {
            format!("{{spinner}} {{msg}} {{human_pos}} {unit}, {{per_sec}}, {{elapsed}}")
        } else {
            format!(
                "{{bar:30}} {{msg}} {{human_pos}}/{{human_len}} {unit}, {{per_sec}}, {{eta}} left"
            )
        };
        ProgressStyle::with_template(&form).unwrap_or_else(|_| ProgressStyle::default_bar())
    }
}

#[cfg(test)]
mod tests {
    use super::painted;

    #[test]
    fn colour_is_only_around_the_word() {
        assert_eq!(painted("next:", "32", true), "\u{1b}[32mnext:\u{1b}[0m");
        assert_eq!(painted("next:", "32", false), "next:");
    }
}
