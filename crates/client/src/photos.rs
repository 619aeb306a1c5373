use bytes::Bytes;
use rapidphoto_api_types::{
    AddTagsRequest, DownloadUrl, Limits, Page, Photo, PhotoDeleted, PhotoHistory, PhotoTags,
};
use reqwest::{Method, Response};

use crate::{error::ClientError, session::Session, transfer::check_storage};

/// Photos of the user.
impl Session {
    /// Returns a photo with its metadata.
    pub async fn photo(&self, photo_id: &str) -> Result<Photo, ClientError> {
        self.call(|| self.client.request(Method::GET, &["queries", "photos", photo_id]))
            .await
    }

    /// Returns a page of the user's photos; `query` contains query parameters, such as `("size", "20")`.
    pub async fn photos(&self, query: &[(&str, &str)]) -> Result<Page<Photo>, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "photos"])
                .query(query)
        })
        .await
    }

    /// Returns a presigned URL for the download of a variant of a photo: `original`, `256` or `1024`.
    pub async fn download_url(&self, photo_id: &str, variant: &str) -> Result<DownloadUrl, ClientError> {
        let path = ["queries", "photos", photo_id, "download-url"];
        self.call(|| {
            self.client
                .request(Method::GET, &path)
                .query(&[("variant", variant)])
        })
        .await
    }

    /// Returns the events of a photo.
    pub async fn history(&self, photo_id: &str) -> Result<PhotoHistory, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "photos", photo_id, "history"])
        })
        .await
    }

    /// Adds labels to the tags of a photo.
    pub async fn add_tags(&self, photo_id: &str, labels: &[String]) -> Result<PhotoTags, ClientError> {
        let body = AddTagsRequest {
            labels: labels.to_vec(),
        };
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "photos", photo_id, "tags"])
                .json(&body)
        })
        .await
    }

    /// Removes a label from the tags of a photo.
    pub async fn remove_tag(&self, photo_id: &str, label: &str) -> Result<PhotoTags, ClientError> {
        self.call(|| {
            self.client
                .request(Method::DELETE, &["commands", "photos", photo_id, "tags", label])
        })
        .await
    }

    /// Deletes a photo if it is terminal; otherwise only cancels it.
    pub async fn delete_photo(&self, photo_id: &str) -> Result<PhotoDeleted, ClientError> {
        self.call(|| {
            self.client
                .request(Method::DELETE, &["commands", "photos", photo_id])
        })
        .await
    }

    /// Returns the limits of the user and what this server can process.
    pub async fn limits(&self) -> Result<Limits, ClientError> {
        self.call(|| self.client.request(Method::GET, &["queries", "limits"]))
            .await
    }

    /// Starts the download of a variant of a photo: `original`, `256` or `1024`.
    pub async fn download(&self, photo_id: &str, variant: &str) -> Result<Download, ClientError> {
        let url = self.download_url(photo_id, variant).await?.url;
        let response = check_storage(self.client.http.get(url).send().await?).await?;
        Ok(Download { response })
    }
}

/// Running download.
#[derive(Debug)]
pub struct Download {
    response: Response,
}

impl Download {
    /// Size in bytes, if storage tells it.
    pub fn bytes(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        Ok(self.response.chunk().await?)
    }
}
