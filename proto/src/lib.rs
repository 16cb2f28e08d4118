//! How billing backends speak to lagom: the messages and services of `lagom.v1`, compiled from
//! the files under `lagom/v1` at build time.
//!
//! All but one message is generated code. What a field means is written beside it in those files.

mod blocked;

pub use blocked::Text;

/// Version 1 of the interface.
#[allow(
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
pub mod v1 {
    tonic::include_proto!("lagom.v1");

    pub use crate::blocked::BlockedAction;
}

/// The encoded `FileDescriptorSet` of `lagom.v1`, for server reflection.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lagom_descriptor.bin"));

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::DESCRIPTOR;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    fn files() -> Vec<prost_types::FileDescriptorProto> {
        let all = FileDescriptorSet::decode(DESCRIPTOR).unwrap().file;
        all.into_iter()
            .filter(|file| file.package() == "lagom.v1")
            .collect()
    }

    /// `EventType` gives `EVENT_TYPE_`.
    fn prefix(name: &str) -> String {
        let mut text = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !text.is_empty() {
                text.push('_');
            }
            text.push(letter.to_ascii_uppercase());
        }
        text + "_"
    }

    #[test]
    fn every_enum_is_prefixed_and_starts_unspecified() {
        let enums: Vec<_> = files()
            .into_iter()
            .flat_map(|file| file.enum_type)
            .collect();
        assert!(enums.len() >= 6);
        for one in enums {
            let prefix = prefix(one.name());
            assert_eq!(one.value[0].number(), 0);
            assert_eq!(one.value[0].name(), format!("{prefix}UNSPECIFIED"));
            for value in &one.value {
                assert!(value.name().starts_with(&prefix), "{}", value.name());
            }
        }
    }

    #[test]
    fn every_service_of_the_contract_is_there() {
        let mut rpcs: Vec<String> = Vec::new();
        for service in files().into_iter().flat_map(|file| file.service) {
            for method in &service.method {
                rpcs.push(format!("{}.{}", service.name(), method.name()));
            }
        }
        rpcs.sort();
        assert_eq!(
            rpcs,
            [
                "DecisionService.ConfirmAction",
                "DecisionService.ExplainDecision",
                "DecisionService.NextBestAction",
                "DecisionService.StreamNextBestActions",
                "EventService.RecordEvents",
                "EventService.StreamEvents",
                "ExperimentService.ListExperiments",
                "ExperimentService.ReviewExperiment",
                "ModelService.GetModel",
                "ModelService.ListModels",
                "ModelService.PausePolicy",
                "ModelService.PromoteModel",
                "ModelService.ResumePolicy",
                "ModelService.RollbackModel",
                "PrivacyService.EraseCustomer",
                "PrivacyService.ExportCustomer",
            ]
        );
    }
}
