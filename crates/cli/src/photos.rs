use indicatif::HumanBytes;
use rapidphoto_client::{Session, types::Photo, with_retries};

use crate::{
    arguments::Photos as Options,
    output::{print_json, print_line, reasons, status_name},
    state::{LoginFile, StateDir},
    table::table,
};

/// Photos of one page, the limit of the API.
const PAGE: u32 = 200;

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let (session, _) = LoginFile::in_directory(&StateDir::open()?).session()?;
    let query = [("q", options.q), ("tag", options.tag), ("status", options.status)];
    let query = query
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let mut pages = Pages::new(&session, query);
    let mut left = options.limit;
    let mut rows = Vec::new();
    while left > 0 {
        let Some(photos) = pages.next(left).await? else {
            break;
        };
        left -= photos.len().min(left);
        for photo in photos {
            if options.json {
                print_json(&photo)?;
            } else {
                rows.push(row(&photo));
            }
        }
    }
    if !options.json {
        let titles = ["id", "name", "size", "pixels", "taken", "tags", "status"];
        for line in table(titles, &rows) {
            print_line(&line)?;
        }
    }
    Ok(())
}

/// Pages of a list of photos.
pub(crate) struct Pages<'a> {
    session: &'a Session,
    query: Vec<(&'static str, String)>,
    /// Cursor of the next page; none on the first.
    cursor: Option<String>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(crate) const fn new(session: &'a Session, query: Vec<(&'static str, String)>) -> Self {
        Self {
            session,
            query,
            cursor: None,
            ended: false,
        }
    }

    /// Next page with up to `max` photos; `None` after the last one.
    pub(crate) async fn next(&mut self, max: usize) -> anyhow::Result<Option<Vec<Photo>>> {
        if self.ended {
            return Ok(None);
        }
        let size = u32::try_from(max).unwrap_or(PAGE).min(PAGE).to_string();
        let mut query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        query.push(("size", &size));
        query.extend(self.cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = with_retries(|| self.session.photos(&query)).await?;
        self.ended = page.next_cursor.is_none();
        self.cursor = page.next_cursor;
        Ok(Some(page.items))
    }
}

fn row(photo: &Photo) -> [String; 7] {
    let pixels = photo.width.zip(photo.height);
    let status = match (status_name(photo.status), photo.reasons.is_empty()) {
        (status, true) => status.to_owned(),
        (status, false) => format!("{status}: {}", reasons(&photo.reasons)),
    };
    [
        photo.photo_id.clone(),
        photo.filename.clone(),
        HumanBytes(photo.bytes).to_string(),
        pixels.map_or_else(|| "–".to_owned(), |(width, height)| format!("{width}×{height}")),
        photo.taken_at.clone().unwrap_or_else(|| "–".to_owned()),
        photo.tags.join(", "),
        status,
    ]
}
