use indicatif::HumanBytes;
use rapidphoto_client::{types::JobSummary, with_retries};

use crate::{
    arguments::Jobs as Options,
    output::{print_json, print_line},
    state::{LoginFile, StateDir},
    table::table,
    watch::job_status_name,
};

/// Jobs of one page.
const PAGE: usize = 50;

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let (session, _) = LoginFile::in_directory(&StateDir::open()?).session()?;
    let mut left = options.limit;
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    while left > 0 {
        let size = left.min(PAGE).to_string();
        let mut query = vec![("size", size.as_str())];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = with_retries(|| session.jobs(&query)).await?;
        left -= page.items.len().min(left);
        for job in page.items {
            if options.json {
                print_json(&job)?;
            } else {
                rows.push(row(&job));
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if !options.json {
        let titles = ["id", "created", "photos", "completed", "size", "sent", "status"];
        for line in table(titles, &rows) {
            print_line(&line)?;
        }
    }
    Ok(())
}

fn row(job: &JobSummary) -> [String; 7] {
    [
        job.job_id.clone(),
        job.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        job.total_count.to_string(),
        job.completed_count.to_string(),
        HumanBytes(job.bytes_total).to_string(),
        format!("{} %", job.percent),
        job_status_name(job.status).to_owned(),
    ]
}
