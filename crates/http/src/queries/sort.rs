//! Sort of a list, and the cursor of a page.

use rapidphoto_application::ports::{PhotoPosition, PhotoSort, SortDirection};

use super::paging;
use crate::problem::kinds::{self, Kind};

/// Sort of a photo list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sort {
    pub(super) by: PhotoSort,
    pub(super) direction: SortDirection,
}

const SORTS: [(&str, PhotoSort, SortDirection); 6] = [
    ("createdAt", PhotoSort::CreatedAt, SortDirection::Ascending),
    ("-createdAt", PhotoSort::CreatedAt, SortDirection::Descending),
    ("takenAt", PhotoSort::TakenAt, SortDirection::Ascending),
    ("-takenAt", PhotoSort::TakenAt, SortDirection::Descending),
    ("bytes", PhotoSort::Bytes, SortDirection::Ascending),
    ("-bytes", PhotoSort::Bytes, SortDirection::Descending),
];

impl Sort {
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let (_, by, direction) = SORTS.into_iter().find(|(name, ..)| *name == raw)?;
        Some(Self { by, direction })
    }

    /// Allowed values, for an error message.
    pub(super) fn allowed() -> String {
        format!("one of {}", SORTS.map(|(name, ..)| name).join(", "))
    }

    fn name(self) -> &'static str {
        let found = SORTS
            .into_iter()
            .find(|(_, by, direction)| *by == self.by && *direction == self.direction);
        found.map_or("", |(name, ..)| name)
    }

    /// Opaque cursor for the client.
    pub(super) fn cursor(self, position: &PhotoPosition) -> String {
        paging::encode(self.name(), position)
    }

    /// Position in a client's cursor.
    pub(super) fn position(self, cursor: &str) -> Result<PhotoPosition, &'static Kind> {
        let (name, position) = paging::decode(cursor)?;
        let sort = Self::parse(&name).ok_or(kinds::INVALID_CURSOR)?;
        let position: PhotoPosition = position.parse().map_err(|()| kinds::INVALID_CURSOR)?;
        if sort != self {
            return Err(kinds::CURSOR_OF_ANOTHER_SORT);
        }
        // Only a time of exposure may be missing.
        if position.value.is_none() && self.by != PhotoSort::TakenAt {
            return Err(kinds::INVALID_CURSOR);
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use rapidphoto_domain::PhotoId;

    use super::*;

    #[test]
    fn cursors_are_valid_for_their_own_sort_only() {
        let photo = PhotoId::from_bits(7);
        for (name, ..) in SORTS {
            let sort = Sort::parse(name).unwrap();
            for value in [Some(-5), None] {
                let position = PhotoPosition { value, photo };
                let cursor = sort.cursor(&position);
                for (other, ..) in SORTS {
                    // Every photo has a time of creation and a size.
                    let is_possible = value.is_some() || sort.by == PhotoSort::TakenAt;
                    let expected = match (other == name, is_possible) {
                        (true, true) => Ok(position.clone()),
                        (true, false) => Err(kinds::INVALID_CURSOR),
                        (false, _) => Err(kinds::CURSOR_OF_ANOTHER_SORT),
                    };
                    assert_eq!(Sort::parse(other).unwrap().position(&cursor), expected);
                }
            }
        }
    }

    #[test]
    fn invalid_cursors_are_an_error() {
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in [
            String::new(),
            "%%%".to_owned(),
            encoded("no colon"),
            encoded("size:1.ph_00000000000000000000000007"),
            encoded("-createdAt:x.ph_00000000000000000000000007"),
            encoded("-createdAt:1.job_00000000000000000000000007"),
            encoded("-createdAt:99999999999999999999.ph_00000000000000000000000007"),
            encoded("-createdAt:1.ph_00000000000000000000000007\0"),
            encoded("jobs:1.job_00000000000000000000000007"),
            encoded(&"-createdAt:1.".repeat(10_000)),
            URL_SAFE_NO_PAD.encode([0xff, 0xfe]),
        ] {
            assert_eq!(
                Sort::default().position(&bad),
                Err(kinds::INVALID_CURSOR),
                "{bad}"
            );
        }
    }
}
