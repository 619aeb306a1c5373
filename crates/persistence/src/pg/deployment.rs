//! Facts about the deployments that share the database.

use diesel::{
    OptionalExtension as _,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::Unavailable;

use super::{PgStore, statement::statement};
use crate::error::StoreError;

statement! {
    /// One search of the index for each namespace; DISTINCT would read the whole index.
    struct Namespaces {
    } -> Text
    = "WITH RECURSIVE found (namespace) AS (
           (SELECT namespace FROM events ORDER BY namespace LIMIT 1)
           UNION ALL
           SELECT next.namespace FROM found CROSS JOIN LATERAL (
               SELECT e.namespace FROM events AS e WHERE e.namespace > found.namespace
               ORDER BY e.namespace LIMIT 1
           ) AS next
       )
       SELECT namespace FROM found ORDER BY namespace"
}

statement! {
    struct KeyFingerprint<'a> {
        namespace: &'a str => Text,
    } -> Text
    = "SELECT fingerprint FROM signing_keys WHERE namespace = $1"
}

statement! {
    struct SetKeyFingerprint<'a> {
        namespace: &'a str => Text,
        fingerprint: &'a str => Text,
    } -> BigInt
    = "INSERT INTO signing_keys (namespace, fingerprint) VALUES ($1, $2)
       ON CONFLICT (namespace) DO UPDATE SET fingerprint = excluded.fingerprint"
}

impl PgStore {
    /// Namespaces that have events, in alphabetical order.
    pub async fn namespaces(&self) -> Result<Vec<String>, Unavailable> {
        let found = Namespaces {}.load(&mut self.connection().await?).await;
        Ok(found.map_err(StoreError::from)?)
    }

    /// Fingerprint of the key that signs the deployment's access tokens; `None` before the first start.
    pub async fn key_fingerprint(&self) -> Result<Option<String>, Unavailable> {
        let statement = KeyFingerprint {
            namespace: &self.namespace,
        };
        let fingerprint = statement
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(fingerprint)
    }

    /// Stores the fingerprint of the key that signs the deployment's access tokens.
    pub async fn set_key_fingerprint(&self, fingerprint: String) -> Result<(), Unavailable> {
        let statement = SetKeyFingerprint {
            namespace: &self.namespace,
            fingerprint: &fingerprint,
        };
        statement
            .execute(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }
}
