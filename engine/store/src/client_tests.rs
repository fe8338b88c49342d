//! What clients send.

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use volley_api::ConfigDef;
use volley_api::testing::config_map;

use crate::test_service::{run, service};
use crate::{StoreConfig, open_store, store_issues, store_keys};

const CUSTOMER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

pub(crate) fn parsed(entries: &[(&str, &str)]) -> StoreConfig {
    let def = store_keys("").into_iter().fold(ConfigDef::new(), ConfigDef::key);
    let config = def.parse(&config_map(entries)).unwrap();
    assert_eq!(store_issues(&config), []);
    StoreConfig::from_config(&config).unwrap()
}

/// The head of the request that creates an object.
fn put_request(entries: &[(&str, &str)]) -> String {
    let (url, answered) = service("200 OK", "etag: \"e\"\r\n", "");
    let keys = [("store.url", "s3://b"), ("store.s3.region", "eu-west-1"), ("store.s3.endpoint", url.as_str())];
    let (store, _) = open_store(&parsed(&[&keys[..], entries].concat())).unwrap();
    run(store.put(&Path::from("x"), PutPayload::from_static(b"y"))).unwrap();
    answered.join().unwrap()
}

#[test]
fn encryption_class_and_tags_go_with_each_object_and_are_signed() {
    let keys = [("store.s3.access.key.id", "AKIA"), ("store.s3.secret.access.key", "s")];
    let options = [
        ("store.s3.sse.type", "aws:kms"),
        ("store.s3.sse.kms.key.id", "arn:k"),
        ("store.s3.storage.class", "STANDARD_IA"),
        ("store.s3.object.tags", "team:data,cost center:a/b"),
        ("store.s3.acl", "bucket-owner-full-control"),
    ];
    let asked = put_request(&[&keys[..], &options].concat());
    let signed = asked.lines().find(|line| line.starts_with("authorization: ")).unwrap();
    for (name, value) in [
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "arn:k"),
        ("x-amz-storage-class", "standard_ia"),
        ("x-amz-tagging", "team=data&cost+center=a%2fb"),
        ("x-amz-acl", "bucket-owner-full-control"),
    ] {
        assert!(asked.contains(&format!("{name}: {value}\r\n")), "{name}: {asked}");
        assert!(signed.contains(name), "{name}: {signed}");
    }
    let asked = put_request(&[&keys[..], &[("store.s3.sse.customer.key", CUSTOMER_KEY)]].concat());
    assert!(asked.contains("x-amz-server-side-encryption-customer-algorithm: aes256\r\n"), "{asked}");
    let bare = put_request(&keys);
    assert!(!bare.contains("encryption") && !bare.contains("x-amz-acl"), "{bare}");
}

#[test]
fn without_a_signature_nothing_of_the_credentials_is_sent() {
    let asked = put_request(&[("store.s3.skip.signature", "true")]);
    assert!(!asked.contains("authorization") && asked.starts_with("put /b/x "), "{asked}");
}

#[test]
fn every_way_to_log_in_makes_a_client() {
    let s3 = ("store.url", "s3://b/p");
    let azure = [("store.url", "az://c"), ("store.azure.account.name", "a")];
    let principal =
        [("store.azure.client.id", "i"), ("store.azure.client.secret", "s"), ("store.azure.tenant.id", "t")];
    let cases = [
        vec![s3, ("store.s3.role.arn", "arn:aws:iam::1:role/w"), ("store.s3.role.external.id", "x")],
        vec![s3, ("store.proxy.url", "http://proxy:3128"), ("store.proxy.user", "u"), ("store.proxy.password", "p")],
        vec![s3, ("store.s3.sse.type", "aws:kms")],
        vec![s3, ("store.s3.sse.type", "AES256")],
        vec![s3, ("store.s3.sse.type", "aws:kms:dsse")],
        [&azure[..], &[("store.azure.sas.token", "sv=2020&sig=a%2Bb")]].concat(),
        [&azure[..], &principal].concat(),
    ];
    for entries in cases {
        open_store(&parsed(&entries)).unwrap_or_else(|error| panic!("{entries:?}: {error}"));
    }
}

#[test]
fn the_endpoint_of_google_s_protocol_may_be_another_one() {
    let (url, answered) = service("404 Not Found", "", "");
    let keys = [
        ("store.url", "gs://b"),
        ("store.gcs.endpoint", url.as_str()),
        (
            "store.gcs.service.account.key",
            r#"{"private_key": "k", "private_key_id": "k", "client_email": "e", "disable_oauth": true}"#,
        ),
    ];
    let (store, _) = open_store(&parsed(&keys)).unwrap();
    assert!(run(store.head(&Path::from("x"))).is_err());
    assert!(answered.join().unwrap().starts_with("head /b/x "));
}
