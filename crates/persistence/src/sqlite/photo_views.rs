use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _};

use crate::schema::{photo_details, photos};

/// Photos joined with their details.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn views() -> _ {
    photos::table.left_join(
        photo_details::table.on(photo_details::namespace
            .eq(photos::namespace)
            .and(photo_details::photo_id.eq(photos::photo_id))),
    )
}
