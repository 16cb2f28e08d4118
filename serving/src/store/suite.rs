//! What every store does, whatever it keeps its log in.

#![allow(clippy::unwrap_used)]

use super::samples::{self, every_kind, same};
use super::{Entry, Store, StoreError};
use lagom_features::domain::{DecisionId, RequestId};
use std::sync::Arc;

/// Opens the store of a name; again if it was opened before and dropped.
pub(super) type Open<'a> = &'a mut dyn FnMut(&str) -> Arc<dyn Store>;

/// All of it, each part on a store of its own.
pub(super) async fn all(open: Open<'_>) {
    what_was_appended_is_there_after_opening_again(open).await;
    a_key_is_used_once_and_a_refused_append_leaves_nothing(open).await;
    a_catalogue_may_be_named_again(open).await;
    many_callers_are_all_answered_and_the_chain_holds(open).await;
    large_appends_stay_whole(open).await;
    what_is_erased_is_gone_and_the_rest_is_not(open).await;
    a_visitor_can_stop_a_scan(open);
}

/// Every record of a log.
pub(super) fn all_of(store: &dyn Store) -> Result<Vec<(i64, Entry)>, StoreError> {
    let mut entries = Vec::new();
    let last = store.scan(&mut |seq, entry| {
        entries.push((seq, entry));
        Ok(())
    })?;
    assert!(entries.iter().all(|(seq, _)| *seq <= last));
    Ok(entries)
}

fn decided(n: u64) -> Entry {
    Entry::Decided(Arc::new(samples::decision(n)))
}

async fn what_was_appended_is_there_after_opening_again(open: Open<'_>) {
    let written = every_kind();
    let store = open("reopened");
    for entry in written.clone() {
        store.append(vec![entry]).await.unwrap();
    }
    drop(store);
    let store = open("reopened");
    let read = all_of(&*store).unwrap();
    assert_eq!(read.len(), written.len());
    for ((place, (seq, read)), written) in (1..).zip(&read).zip(&written) {
        assert_eq!(*seq, place);
        assert!(same(read, written), "{read:?}");
    }
    let d1 = DecisionId::new("d1").unwrap();
    let by_id = store.decision(&d1).await.unwrap();
    let r1 = RequestId::new("r1").unwrap();
    let by_request = store.answered(&r1).await.unwrap();
    for found in [by_id, by_request] {
        assert!(same(&Entry::Decided(Arc::new(found.unwrap())), &decided(1)));
    }
    let d2 = DecisionId::new("d2").unwrap();
    assert!(store.decision(&d2).await.unwrap().is_none());
    let r2 = RequestId::new("r2").unwrap();
    assert!(store.answered(&r2).await.unwrap().is_none());
}

async fn a_key_is_used_once_and_a_refused_append_leaves_nothing(open: Open<'_>) {
    let store = open("keys");
    store.append(vec![decided(1)]).await.unwrap();
    let again = store.append(vec![samples::fact("e"), decided(1)]).await;
    let again = again.unwrap_err();
    assert!(again.to_string().contains("request `r1`"), "{again}");
    let outcome = || vec![Entry::Matured(Box::new(samples::outcome(1)))];
    store.append(outcome()).await.unwrap();
    let again = store.append(outcome()).await.unwrap_err();
    assert!(matches!(again, StoreError::Duplicate { .. }), "{again}");
    // Of two that come together one is refused, and not the other.
    let together = [
        store.append(vec![decided(2)]),
        store.append(vec![samples::fact("f"), decided(2)]),
    ];
    let mut refused = 0;
    for one in together {
        refused += usize::from(one.await.is_err());
    }
    assert_eq!(refused, 1);
    let kept = all_of(&*store).unwrap().len();
    assert!(kept == 3 || kept == 4, "{kept}");
}

async fn a_catalogue_may_be_named_again(open: Open<'_>) {
    let catalogue = || samples::named("s", None);
    let store = open("catalogues");
    store.append(vec![catalogue(), decided(1)]).await.unwrap();
    let with_terms = samples::named("t", Some(samples::terms()));
    store.append(vec![with_terms.clone()]).await.unwrap();
    drop(store);
    let store = open("catalogues");
    for (id, named) in [("s", catalogue()), ("t", with_terms)] {
        assert!(same(
            &Entry::Catalogue(store.catalogue(id).unwrap()),
            &named
        ));
    }
    assert!(store.catalogue("u").is_none());
    let again = store.append(vec![catalogue()]).await.unwrap_err();
    assert!(matches!(again, StoreError::Duplicate { .. }), "{again}");
    let d1 = DecisionId::new("d1").unwrap();
    assert!(store.decision(&d1).await.unwrap().is_some());
}

async fn many_callers_are_all_answered_and_the_chain_holds(open: Open<'_>) {
    let store = open("callers");
    let callers: Vec<_> = (0..500)
        .map(|n| {
            let store = Arc::clone(&store);
            let entries = vec![samples::fact("e"), decided(n)];
            tokio::spawn(async move { store.append(entries).await })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(store.waiting(), 0);
    let read = all_of(&*store).unwrap();
    let kinds: Vec<_> = read.iter().map(|(_, entry)| entry.kind()).collect();
    assert_eq!(kinds.len(), 1_000);
    let mut pairs = kinds.chunks(2);
    assert!(
        pairs.all(|pair| pair[0] != pair[1]),
        "an append was torn apart"
    );
}

async fn large_appends_stay_whole(open: Open<'_>) {
    let store = open("large");
    let many = |n: usize| (0..n).map(|n| samples::fact(&format!("e{n}"))).collect();
    store.append(many(5_000)).await.unwrap();
    store.append(vec![decided(1)]).await.unwrap();
    let read = all_of(&*store).unwrap();
    assert_eq!(read.len(), 5_001);
    assert!(same(&read[4_999].1, &samples::fact("e4999")));
    assert!(same(&read[5_000].1, &decided(1)));
}

async fn what_is_erased_is_gone_and_the_rest_is_not(open: Open<'_>) {
    let store = open("erased");
    store.append(every_kind()).await.unwrap();
    let read = all_of(&*store).unwrap();
    let gone = |entry: &Entry| matches!(entry, Entry::Decided(_) | Entry::Matured(_));
    let (erased, kept): (Vec<_>, Vec<_>) = read.into_iter().partition(|(_, entry)| gone(entry));
    assert_eq!(erased.len(), 2);
    store.erase(erased.clone()).await.unwrap();
    // To repeat it is safe.
    store.erase(erased).await.unwrap();
    drop(store);
    let store = open("erased");
    let left = all_of(&*store).unwrap();
    assert_eq!(format!("{left:?}"), format!("{kept:?}"));
    let d1 = DecisionId::new("d1").unwrap();
    assert!(store.decision(&d1).await.unwrap().is_none());
    let r1 = RequestId::new("r1").unwrap();
    assert!(store.answered(&r1).await.unwrap().is_none());
}

fn a_visitor_can_stop_a_scan(open: Open<'_>) {
    let store = open("erased");
    let mut seen = 0;
    let stopped = store.scan(&mut |_, _| {
        seen += 1;
        Err(StoreError::Closed)
    });
    assert!(matches!(stopped, Err(StoreError::Closed)));
    assert_eq!(seen, 1);
}
