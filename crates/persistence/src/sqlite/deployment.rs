//! Facts about the deployments that share the database.

use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, dsl::min};
use rapidphoto_application::ports::Unavailable;

use super::SqliteStore;
use crate::{
    error::StoreError,
    schema::{events, signing_keys},
};

impl SqliteStore {
    /// Namespaces that have events, in alphabetical order.
    pub async fn namespaces(&self) -> Result<Vec<String>, Unavailable> {
        self.read(|connection, _| {
            let mut found: Vec<String> = Vec::new();
            // One seek in the index per namespace; DISTINCT would read the whole index.
            loop {
                let last = found.last().map_or("", String::as_str);
                let next = events::table
                    .filter(events::namespace.gt(last))
                    .select(min(events::namespace))
                    .first::<Option<String>>(connection)
                    .map_err(StoreError::from)?;
                let Some(next) = next else { break };
                found.push(next);
            }
            Ok(found)
        })
        .await
    }

    /// Fingerprint of the key that signs the deployment's access tokens; `None` before the first start.
    pub async fn key_fingerprint(&self) -> Result<Option<String>, Unavailable> {
        self.read(|connection, namespace| {
            let fingerprint = signing_keys::table
                .find(namespace)
                .select(signing_keys::fingerprint)
                .first(connection)
                .optional()
                .map_err(StoreError::from)?;
            Ok(fingerprint)
        })
        .await
    }

    /// Stores the fingerprint of the key that signs the deployment's access tokens.
    pub async fn set_key_fingerprint(&self, fingerprint: String) -> Result<(), Unavailable> {
        self.write(move |connection, namespace| {
            diesel::replace_into(signing_keys::table)
                .values((
                    signing_keys::namespace.eq(namespace),
                    signing_keys::fingerprint.eq(fingerprint),
                ))
                .execute(connection)
                .map_err(StoreError::from)?;
            Ok(())
        })
        .await
    }
}
