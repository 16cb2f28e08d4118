#![allow(clippy::unwrap_used)]
use super::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::params;
use tempfile::TempDir;

const ROWS: usize = 300;

fn name(n: usize) -> String {
    format!("customer-{n:05}x")
}

/// Rows of all sizes that come, grow and shrink: pages are split and merged all the time.
fn churned(path: &Path, random: &mut impl Rng) -> Connection {
    let connection = Connection::open(path).unwrap();
    super::super::prepare(&connection).unwrap();
    let sql = "CREATE TABLE kept (place INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB)";
    connection.execute_batch(sql).unwrap();
    let body = |n: usize, size: usize| name(n).repeat(size).into_bytes();
    for n in 0..ROWS {
        // An order that is not that of the names, so that the index is split everywhere.
        let n = n * 7 % ROWS;
        let sql = "INSERT INTO kept (id, body) VALUES (?1, ?2)";
        let row = params![name(n), body(n, random.random_range(1..60))];
        connection.execute(sql, row).unwrap();
    }
    for _ in 0..2 * ROWS {
        let n = random.random_range(0..ROWS);
        let most = if random.random_bool(0.1) { 900 } else { 180 };
        let size = random.random_range(1..most);
        let sql = "UPDATE kept SET body = ?2 WHERE id = ?1";
        connection
            .execute(sql, params![name(n), body(n, size)])
            .unwrap();
    }
    connection
}

fn says(path: &Path, needle: &str) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes
        .windows(needle.len())
        .any(|some| some == needle.as_bytes())
}

fn all(connection: &Connection) -> Vec<(String, Vec<u8>)> {
    let mut select = connection
        .prepare("SELECT id, body FROM kept ORDER BY id")
        .unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Deleted rows could be read in the unused space of pages from which they had been moved.
#[test]
fn nothing_of_a_deleted_row_is_left_and_the_others_are() {
    let (mut left, mut seen) = (0, 0);
    for seed in 0..40 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let connection = churned(&path, &mut random);
        let gone: Vec<usize> = (0..ROWS).filter(|_| random.random_bool(0.1)).collect();
        for n in &gone {
            let sql = "DELETE FROM kept WHERE id = ?1";
            connection.execute(sql, [name(*n)]).unwrap();
        }
        let before = all(&connection);
        assert_eq!(before.len(), ROWS - gone.len());
        truncate(&connection).unwrap();
        left += gone.iter().filter(|n| says(&path, &name(**n))).count();
        clear(&path).unwrap();
        let still = gone.iter().filter(|n| says(&path, &name(**n)));
        assert_eq!(still.count(), 0, "seed {seed}");
        assert_eq!(
            std::fs::metadata(folder.path().join("store.db-wal"))
                .unwrap()
                .len(),
            0
        );
        let found = dirty(&connection).unwrap();
        assert!(found.is_empty(), "{found:?}");
        assert!(all(&connection) == before, "seed {seed}");
        let sql = "PRAGMA integrity_check";
        let whole: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
        seen += gone.len();
    }
    // Else this shows nothing.
    assert!(
        left > 0,
        "of {seen} deleted rows none had been left anywhere"
    );
}

/// Whoever writes beside it neither fails nor loses anything.
#[test]
fn others_write_meanwhile() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let connection = churned(&path, &mut ChaCha8Rng::seed_from_u64(1));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let beside = Connection::open(&path).unwrap();
            for n in 0..200 {
                let sql = "UPDATE kept SET body = ?2 WHERE id = ?1";
                let body = vec![7_u8; 10 + n * 13 % 900];
                assert_eq!(beside.execute(sql, params![name(n), body]).unwrap(), 1);
            }
        });
        while !writer.is_finished() {
            clear(&path).unwrap();
        }
    });
    let rows = all(&connection);
    assert_eq!(rows.len(), ROWS);
    for (n, (id, body)) in rows.iter().enumerate() {
        assert_eq!(*id, name(n));
        assert!(n >= 200 || body.len() == 10 + n * 13 % 900);
    }
    let whole: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
}

/// What is not a page of a tree, or is damaged, stays as it is.
#[test]
fn of_other_pages_nothing_is_unused() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..20_000 {
        let mut page = vec![0_u8; 512];
        random.fill_bytes(&mut page);
        page[0] = [0, 1, 2, 5, 10, 13][random.random_range(0..6)];
        let ranges = unused(2, &page);
        assert!(ranges.is_empty() || page[0] > 1);
        assert!(
            ranges
                .iter()
                .all(|range| range.start <= range.end && range.end <= 512)
        );
    }
    assert!(unused(2, &[]).is_empty());
    assert!(unused(1, &[13; 90]).is_empty());
}
