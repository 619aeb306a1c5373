//! Sort of a list, and the cursor of a page.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rapidphoto_application::ports::{PhotoPosition, PhotoSort, SortDirection};

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

    /// Opaque cursor for the client: the name of the sort and the position of the next page.
    pub(super) fn cursor(self, position: &PhotoPosition) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{position}", self.name()))
    }

    /// Position in a client's cursor.
    pub(super) fn position(self, cursor: &str) -> Result<PhotoPosition, &'static Kind> {
        let invalid = kinds::INVALID_CURSOR;
        let decoded = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid)?;
        let text = std::str::from_utf8(&decoded).map_err(|_| invalid)?;
        let (name, position) = text.split_once(':').ok_or(invalid)?;
        let sort = Self::parse(name).ok_or(invalid)?;
        let position = position.parse().map_err(|()| invalid)?;
        if sort == self {
            Ok(position)
        } else {
            Err(kinds::CURSOR_OF_ANOTHER_SORT)
        }
    }
}

#[cfg(test)]
mod tests {
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
                    let expected = if other == name {
                        Ok(position.clone())
                    } else {
                        Err(kinds::CURSOR_OF_ANOTHER_SORT)
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
