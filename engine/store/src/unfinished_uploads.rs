//! What uploads in parts have left in S3 that nobody ends any more. It costs money, and is in no listing of objects.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AwsAuthorizer};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{Error, Result};
use url::Url;

const STORE: &str = "S3";
/// How long the address of a bucket that is asked for would be of use, if it were used.
const ADDRESS_TIME: Duration = Duration::from_secs(60);

/// Uploads in parts that have not ended.
#[derive(Clone, Debug)]
pub struct UnfinishedUploads {
    store: Arc<AmazonS3>,
    client: HttpClient,
    region: String,
}

impl UnfinishedUploads {
    /// Those of `store`, whose bucket is in `region`.
    pub(crate) fn new(store: Arc<AmazonS3>, client: HttpClient, region: String) -> Self {
        Self { store, client, region }
    }

    /// Aborts all that are to become the object `location`; how many there were.
    ///
    /// # Errors
    /// If the store does not let us, or does not answer.
    pub async fn abort(&self, location: &Path) -> Result<usize> {
        let listing = self.list(location).await?;
        let uploads: Vec<_> = uploads_of(&listing, location.as_ref()).collect();
        for id in &uploads {
            match self.store.abort_multipart(location, &(*id).to_owned()).await {
                // it has ended meanwhile
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(uploads.len())
    }

    /// ListMultipartUploads (Amazon S3 API reference), of one key. There may be some of longer keys too.
    async fn list(&self, location: &Path) -> Result<String> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        let mut url = self.bucket_url(&request).await?;
        url.query_pairs_mut().clear().append_pair("prefix", location.as_ref()).append_pair("uploads", "");
        *request.uri_mut() = url.as_str().parse().map_err(generic)?;
        let credential = self.store.credentials().get_credential().await?;
        AwsAuthorizer::new(&credential, "s3", &self.region).authorize(&mut request, None);
        let (head, body) = self.client.execute(request).await.map_err(generic)?.into_parts();
        let text = String::from_utf8_lossy(&body.bytes().await.map_err(generic)?).into_owned();
        match head.status.is_success() {
            true => Ok(text),
            false => Err(generic(format!("ListMultipartUploads: {} {text}", head.status))),
        }
    }

    /// The client knows it, and tells it as a part of an address that is signed.
    async fn bucket_url(&self, request: &HttpRequest) -> Result<Url> {
        let mut url = self.store.signed_url(request.method().clone(), &Path::from("object"), ADDRESS_TIME).await?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop();
        }
        Ok(url)
    }
}

/// The ids of the uploads of a key in the answer.
fn uploads_of<'a>(listing: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let uploads = listing.split("<Upload>").skip(1);
    uploads
        .filter(move |upload| element(upload, "Key").is_some_and(|found| unescaped(found) == key))
        .filter_map(|upload| element(upload, "UploadId"))
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

/// A text of XML without its entities.
fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'")];
    let text = entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character));
    // last, since what it begins may look like one of the others
    text.replace("&amp;", "&")
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: STORE, source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uploads_of_the_very_key_are_found() {
        let upload = |key: &str, id: &str| {
            format!("<Upload>\n <Key>{key}</Key><UploadId>{id}</UploadId><Initiator><ID>x</ID></Initiator></Upload>")
        };
        let listing = format!(
            "<ListMultipartUploadsResult><Bucket>b</Bucket>{}{}{}{}</ListMultipartUploadsResult>",
            upload("t/a&amp;b&lt;", "1"),
            upload("t/a&amp;b&lt;.json", "2"),
            upload("t/a&amp;b&lt;", "3"),
            upload("t/a&amp;amp;b", "4"),
        );
        assert_eq!(uploads_of(&listing, "t/a&b<").collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(uploads_of(&listing, "t/a&amp;b").collect::<Vec<_>>(), ["4"]);
        assert_eq!(uploads_of("no XML", "t").count(), 0);
    }
}
