use utoipa::{
    Modify,
    openapi::{OpenApi, RefOr, Required, Schema, request_body::RequestBody},
};

use super::refusals::operations;

/// A body that may be left out is described by its type alone, and as not required: the generator would take JSON's
/// `null` for a body.
pub(super) struct OptionalBodies;

impl Modify for OptionalBodies {
    fn modify(&self, document: &mut OpenApi) {
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                if let Some(RefOr::T(body)) = &mut operation.request_body {
                    mend(body);
                }
            }
        }
    }
}

fn mend(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(either))) = &content.schema else {
            continue;
        };
        let [schema @ RefOr::Ref(_), RefOr::T(Schema::Object(_))] = either.items.as_slice() else {
            continue;
        };
        content.schema = Some(schema.clone());
        body.required = Some(Required::False);
    }
}
