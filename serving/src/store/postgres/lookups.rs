//! What is asked by key, so that every plan of it looks each key up.
//!
//! A statement is planned when the tables may still be empty, or are said to be by statistics that are
//! behind, and its plan may be kept for minutes: a plan that reads a whole table costs nothing then,
//! and everything later. So each key is looked up by itself, in a subquery that `OFFSET 0` keeps the
//! planner from turning into a join, and connections plan without sequential scans.

/// Which of the keys `$2`, `$3` are in use.
pub(super) const USED: &str = "SELECT asked.kind, asked.key \
     FROM unnest($2::smallint[], $3::text[]) AS asked (kind, key) \
     WHERE EXISTS (SELECT FROM lagom_key AS used WHERE used.tenant = $1 \
     AND used.kind = asked.kind AND used.key = asked.key OFFSET 0)";

/// Records about any of `$2` that are later than `$3`.
pub(super) const UNSEEN: &str = "SELECT asked.about, unseen.seq \
     FROM unnest($2::text[]) AS asked (about) \
     CROSS JOIN LATERAL (SELECT seq FROM lagom_log WHERE tenant = $1 \
     AND about = asked.about AND seq > $3 OFFSET 0) AS unseen";

/// The record that the key `$2`, `$3` leads to, with the checksum of the one before it, to which its own
/// is chained.
pub(super) const FIND: &str = "SELECT l.seq, l.kind, l.crc, l.body, \
     (SELECT p.crc FROM lagom_log AS p WHERE p.tenant = $1 AND p.seq = l.seq - 1) \
     FROM lagom_log AS l WHERE l.tenant = $1 AND l.seq = \
     (SELECT k.seq FROM lagom_key AS k WHERE k.tenant = $1 AND k.kind = $2 AND k.key = $3)";
