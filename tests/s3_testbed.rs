//! The S3 server of the test bed can do what the sinks depend on.

use crate::testbed::S3;

#[test]
fn the_s3_server_creates_an_object_only_if_it_is_absent() {
    let s3 = S3::shared();
    s3.create_bucket("conditional");
    let put = |body: &[u8]| s3.request("PUT", "/conditional/a", &[("If-None-Match", "*")], body).unwrap();
    let first = put(b"one");
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    let second = put(b"two");
    assert!(second.starts_with("HTTP/1.1 412"), "{second}");
    let object = s3.request("GET", "/conditional/a", &[], b"").unwrap();
    assert!(object.ends_with("one"), "{object}");
}
