//! A digest of what is known of all customers: equal records give equal digests, in whatever files
//! and order they came.

use lagom_features::History;
use lagom_features::domain::CustomerId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// Lets a serialiser write into a digest.
struct Sink(blake3::Hasher);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn take(&mut self, record: &impl Serialize) {
        serde_json::to_writer(&mut *self, record).expect("a record of texts and whole numbers");
        self.0.update(b"\n");
    }
}

/// Thirty-two hexadecimal digits.
pub(super) fn of(histories: &BTreeMap<CustomerId, History>) -> String {
    let mut sink = Sink(blake3::Hasher::new());
    for (id, history) in histories {
        sink.take(id);
        for one in history.customers() {
            sink.take(&(one.recorded_at, &one.value));
        }
        for one in history.invoices() {
            sink.take(&(one.recorded_at, &one.value));
        }
        history
            .events()
            .for_each(|event| sink.take(&event.to_event()));
    }
    sink.0.finalize().to_hex()[..32].to_owned()
}
