//! Why a document is not a model version.

use lagom_features::SpecError;
use thiserror::Error;

/// Why a document is not a model version that this program can use.
#[derive(Debug, Error)]
pub enum ArtefactError {
    /// The curve's days have lengths that time cannot have.
    #[error("the clock of the curve of payment needs one length above 0 for every day")]
    Clock,
    /// The numbers of early risk do not belong together.
    #[error(
        "early risk needs rates above 0 and below 1, segments in order, and a model of the columns that it names"
    )]
    Early,
    /// It is not such a document.
    #[error("not a model version: {0}")]
    Json(#[from] serde_json::Error),
    /// Another program wrote it.
    #[error("the model version has format {found}; this program reads format 1: train again")]
    Format {
        /// The stated format.
        found: u32,
    },
    /// Its content does not have its name.
    #[error(
        "the document stored as model version {stated} is {found}: it was changed; train again"
    )]
    Id {
        /// The id that was asked for.
        stated: String,
        /// The digest of the content.
        found: String,
    },
    /// Its spec cannot be read.
    #[error("the feature spec of the model version: {0}")]
    Spec(#[from] SpecError),
    /// Its spec means something else than it did when the model was trained.
    #[error(
        "the feature spec has fingerprint {found}, the model was trained with {stated}: train again"
    )]
    Fingerprint {
        /// That of training.
        stated: String,
        /// That of the text.
        found: String,
    },
    /// A model reads another number of columns than the spec has.
    #[error("the {head} model reads {model} columns, the feature spec has {spec}")]
    Width {
        /// Which model.
        head: &'static str,
        /// Columns of the model.
        model: usize,
        /// Columns of the spec.
        spec: usize,
    },
    /// A model reads another column than the spec has in that place.
    #[error("column {place} is `{model}` in the {head} model and `{spec}` in the feature spec")]
    Column {
        /// Which model.
        head: &'static str,
        /// Place in the vector, from 0.
        place: usize,
        /// Its name in the model.
        model: String,
        /// Its name in the spec.
        spec: String,
    },
}
