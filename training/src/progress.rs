//! How far long work has come, told to whoever watches.
//!
//! As with logging, the work does not know who watches, or whether anybody does: the executable
//! says so once by [`watch`], and a library or a test that does not is told nothing and pays nothing.

use std::sync::OnceLock;

/// Shows work to somebody.
pub trait Watcher: Send + Sync {
    /// Work of `total` steps begins; it ends when what is returned is dropped.
    fn begin(&self, what: &'static str, unit: &'static str, total: u64) -> Box<dyn Bar>;
}

/// One piece of work as it is shown.
pub trait Bar: Send + Sync {
    /// So many steps have been done since the last call.
    fn advance(&self, steps: u64);
}

static WATCHER: OnceLock<Box<dyn Watcher>> = OnceLock::new();

/// Says who watches, for the whole process; the first to say so stays.
pub fn watch(watcher: Box<dyn Watcher>) {
    let _ = WATCHER.set(watcher);
}

/// Work under way. It ends when this is dropped.
#[must_use = "the work ends when this is dropped"]
pub struct Work(Option<Box<dyn Bar>>);

/// Begins work of `total` steps (0 if that is not known), for instance
/// `work("reading events", "rows", 100)`.
pub fn work(what: &'static str, unit: &'static str, total: usize) -> Work {
    let begun = WATCHER.get();
    Work(begun.map(|watcher| watcher.begin(what, unit, total as u64)))
}

impl Work {
    /// So many steps have been done since the last call.
    pub fn advance(&self, steps: usize) {
        if let Some(bar) = &self.0 {
            bar.advance(steps as u64);
        }
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Work(watched: {})", self.0.is_some())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Bar, Watcher, watch, work};
    use std::sync::Mutex;

    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Diary;
    struct Page(&'static str);

    impl Watcher for Diary {
        fn begin(&self, what: &'static str, unit: &'static str, total: u64) -> Box<dyn Bar> {
            TOLD.lock().unwrap().push(format!("{what}: {total} {unit}"));
            Box::new(Page(what))
        }
    }

    impl Bar for Page {
        fn advance(&self, steps: u64) {
            TOLD.lock().unwrap().push(format!("{}: +{steps}", self.0));
        }
    }

    impl Drop for Page {
        fn drop(&mut self) {
            TOLD.lock().unwrap().push(format!("{}: ended", self.0));
        }
    }

    #[test]
    fn whoever_watches_is_told_of_beginning_steps_and_end() {
        let unseen = work("digging", "holes", 3);
        unseen.advance(1);
        watch(Box::new(Diary));
        {
            let seen = work("filling", "holes", 3);
            seen.advance(2);
        }
        // Other tests of this process may be watched as well.
        let told = TOLD.lock().unwrap();
        let ours = told.iter().filter(|line| !line.starts_with("digging"));
        let ours: Vec<&String> = ours.filter(|line| line.starts_with("filling")).collect();
        assert_eq!(ours, ["filling: 3 holes", "filling: +2", "filling: ended"]);
        assert!(!told.iter().any(|line| line.starts_with("digging")));
    }
}
