//! Buckets: Amazon S3 and what speaks its language, Google Cloud Storage, Azure Blob Storage,
//! through one client.
//!
//! The client is asynchronous; its runtime stays in this file, and runs on the thread that asks.
//! Credentials come from the environment and the machine as each cloud has it, for S3 from `~/.aws`
//! too, which the client itself does not read.

use std::time::Duration;

use configparser::ini::Ini;
use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMode, RetryConfig,
};
use tokio::runtime::{Builder, Runtime};

use super::{Listed, Options, Put, Store, StoreError, StoreErrorKind};
use crate::config::Credentials;
use crate::domain::text::visible;

/// How long a dead endpoint may keep a sync waiting. The client's own default is minutes.
const CONNECT: Duration = Duration::from_secs(8);
const REQUEST: Duration = Duration::from_secs(120);

struct Bucket {
    name: String,
    prefix: Path,
    client: Box<dyn ObjectStore>,
    runtime: Runtime,
}

pub(super) fn open(url: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    let error = |trouble, why: String| StoreError { trouble, store: url.to_owned(), why };
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(error(
            StoreErrorKind::Url,
            format!("name the bucket: {scheme}://BUCKET/PREFIX"),
        ));
    }
    // A provider that was installed before serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client =
        client(scheme, bucket, &options.credentials).map_err(|cause| explain(url, &cause))?;
    let prefix = Path::parse(prefix.trim_matches('/'))
        .map_err(|cause| error(StoreErrorKind::Url, cause.to_string()))?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|cause| error(StoreErrorKind::Other, format!("the client's runtime: {cause}")))?;
    let store = Bucket { name: url.to_owned(), prefix, client, runtime };
    store.look()?;
    Ok(Box::new(store))
}

fn client(
    scheme: &str,
    bucket: &str,
    credentials: &Credentials,
) -> Result<Box<dyn ObjectStore>, Error> {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(4),
        base: 2.0,
    };
    let retry = RetryConfig { backoff, max_retries: 3, retry_timeout: Duration::from_secs(20) };
    let options = ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST);
    Ok(match scheme {
        "s3" => {
            let mut builder =
                AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
            if !credentials.aws_key {
                builder = with_profile(builder, credentials);
            }
            // An endpoint of one's own in a closed network often has no certificate; it was named
            // on purpose.
            let plain = builder
                .get_config_value(&"aws_endpoint".parse()?)
                .is_some_and(|url| url.starts_with("http://"));
            Box::new(builder.with_client_options(options.with_allow_http(plain)).build()?)
        }
        "gs" => {
            let builder =
                GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retry);
            Box::new(builder.with_client_options(options.with_allow_http(true)).build()?)
        }
        _ => {
            let builder =
                MicrosoftAzureBuilder::from_env().with_container_name(bucket).with_retry(retry);
            let plain = builder
                .get_config_value(&"azure_endpoint".parse()?)
                .is_some_and(|url| url.starts_with("http://"));
            Box::new(builder.with_client_options(options.with_allow_http(plain)).build()?)
        }
    })
}

/// Key, region and endpoint from the files of the AWS command line.
fn with_profile(mut builder: AmazonS3Builder, credentials: &Credentials) -> AmazonS3Builder {
    let profile = credentials.aws_profile.as_deref().unwrap_or("default");
    let read = |path: Option<std::path::PathBuf>| {
        let mut file = Ini::new_cs();
        path.and_then(|path| file.load(path).ok()).map(|_| file)
    };
    let secrets =
        read(credentials.file(credentials.aws_credentials_file.as_ref(), ".aws/credentials"));
    let settings = read(credentials.file(credentials.aws_config_file.as_ref(), ".aws/config"));
    let section =
        if profile == "default" { profile.to_owned() } else { format!("profile {profile}") };
    let value = |key: &str| {
        let secret = secrets.as_ref().and_then(|file| file.get(profile, key));
        secret.or_else(|| settings.as_ref().and_then(|file| file.get(&section, key)))
    };
    if let (Some(key), Some(secret)) = (value("aws_access_key_id"), value("aws_secret_access_key"))
    {
        builder = builder.with_access_key_id(key).with_secret_access_key(secret);
    }
    if let Some(token) = value("aws_session_token") {
        builder = builder.with_token(token);
    }
    if let Some(region) = value("region") {
        builder = builder.with_region(region);
    }
    match value("endpoint_url") {
        Some(url) => builder.with_endpoint(url),
        None => builder,
    }
}

fn explain(store: &str, error: &Error) -> StoreError {
    // The client wraps the reason several times; the innermost is the one that tells.
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        words = inner.to_string();
        source = inner.source();
    }
    let all = format!("{error:?} {words}").to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| all.contains(part));
    let (trouble, why) = if has(&["expiredtoken", "expired token", "token has expired"]) {
        (StoreErrorKind::Denied, "the credentials have expired: get new ones".to_owned())
    } else if has(&[
        "nosuchbucket",
        "containernotfound",
        "bucket does not exist",
        "bucket not found",
    ]) {
        (StoreErrorKind::Missing, "there is no such bucket".to_owned())
    } else if matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
        || has(&[
            "accessdenied",
            "invalidaccesskeyid",
            "signaturedoesnotmatch",
            "authenticationfailed",
            "403 forbidden",
            "authorizationfailure",
        ])
    {
        (StoreErrorKind::Denied, "the credentials are refused, or may not do this".to_owned())
    } else if has(&[
        "169.254.169.254",
        "metadata",
        "missing azure account",
        "account must be specified",
        "no credentials",
    ]) {
        (
            StoreErrorKind::Denied,
            "no credentials were found in the environment, in ~/.aws or on the machine".to_owned(),
        )
    } else if has(&[
        "connect",
        "dns",
        "timed out",
        "timeout",
        "refused",
        "unreachable",
        "sending request",
    ]) {
        (StoreErrorKind::Unreachable, format!("it cannot be reached: {}", visible(&words)))
    } else if has(&["insufficientstorage", "507", "quota", "no space", "no free volumes"]) {
        (StoreErrorKind::Full, "the store is full".to_owned())
    } else {
        let words = visible(&words).into_owned();
        (StoreErrorKind::Other, words.chars().take(300).collect())
    };
    StoreError { trouble, store: store.to_owned(), why }
}

impl Bucket {
    fn path(&self, key: &str) -> Path {
        key.split('/')
            .filter(|part| !part.is_empty())
            .fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn explain(&self, error: &Error) -> StoreError {
        explain(&self.name, error)
    }

    /// Whether the bucket can be looked at: credentials, name, network.
    fn look(&self) -> Result<(), StoreError> {
        let none = self.path("no/such/prefix");
        let first = self.runtime.block_on(self.client.list(Some(&none)).try_next());
        first.map(drop).map_err(|error| self.explain(&error))
    }
}

impl Store for Bucket {
    fn name(&self) -> &str {
        &self.name
    }

    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let path = self.path(key);
        let put = self.client.put_opts(&path, bytes.to_vec().into(), PutMode::Create.into());
        match self.runtime.block_on(put) {
            Ok(_) => Ok(Put::Created),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Exists),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(key);
        let got = self.runtime.block_on(async { self.client.get(&path).await?.bytes().await });
        match got {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let path = self.path(prefix);
        let found: Result<Vec<_>, _> =
            self.runtime.block_on(self.client.list(Some(&path)).try_collect());
        let strip =
            if self.prefix.as_ref().is_empty() { 0 } else { self.prefix.as_ref().len() + 1 };
        let listed = |meta: object_store::ObjectMeta| {
            Some(Listed { key: meta.location.as_ref().get(strip..)?.to_owned(), bytes: meta.size })
        };
        let mut out: Vec<Listed> =
            found.map_err(|error| self.explain(&error))?.into_iter().filter_map(listed).collect();
        out.sort();
        Ok(out)
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        match self.runtime.block_on(self.client.delete(&path)) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explain(&error)),
        }
    }
}
