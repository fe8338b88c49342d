//! Stores that Java's keytool made: an elliptic key under `key-secret` with a certificate for 127.0.0.1 and localhost that
//! signs itself, good until 2126, and stores that trust it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A JKS key store, password `store-secret`.
pub(crate) fn key_store_jks() -> Vec<u8> {
    decoded(KEY_STORE)
}

/// A JKS trust store, password `trust-secret`.
pub(crate) fn trust_store_jks() -> Vec<u8> {
    decoded(TRUST_STORE)
}

/// A PKCS#12 trust store, password `trust-secret`.
pub(crate) fn trust_store_pkcs12() -> Vec<u8> {
    decoded(TRUST_STORE_PKCS12)
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

const KEY_STORE: &str = "\
/u3+7QAAAAIAAAABAAAAAQACbWUAAAGiBjUJUQAAAH8wfTAOBgorBgEEASoCEQEBBQAEa4jipEJXZErGvLM9dRxOZpLX8DWMumA5D5uqA6Izsq\
czu+MvwlYOc2oXawaKWwtreakSoqB5bHP5pH4laF3ddosmaDY0jNvLy6obss2AomVRyiFOcbAIJFFBpitCzL45JSQUuPySutnBw0dqAAAAAQAF\
WC41MDkAAAFZMIIBVTCB/aADAgECAgh9v+4bh7M0vDAKBggqhkjOPQQDAjARMQ8wDQYDVQQDEwZ2b2xsZXkwIBcNMjYxMTIzMDIyMTA4WhgPMj\
EyNjEwMzAwMjIxMDhaMBExDzANBgNVBAMTBnZvbGxleTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCpqZAfiNr9uzIFa1lG7nJE258aEFFsZ\
/hVTSf2WS6GBDakMJ3Ed79KRdiPpDpE8rZRVQiChOHr3vsCtVciJqbejPTA7MB0GA1UdDgQWBBToawmhNU55IJLBXzSV+O++M7y7ZDAaBgNVHR\
EEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZIzj0EAwIDRwAwRAIgD1xr9Jkc32ay1D192n54iIQiU48/fw9Lr6n9w/h+f1ACIH+HfzjKDLGm\
undJM9udXGRfFC53u0iyKFWt4aMCLj9seuhC3OXljmPzk2QtSQOkig/1wzs=";

const TRUST_STORE: &str = "\
/u3+7QAAAAIAAAABAAAAAgACY2EAAAGiBjUMHwAFWC41MDkAAAFZMIIBVTCB/aADAgECAgh9v+4bh7M0vDAKBggqhkjOPQQDAjARMQ8wDQYDVQ\
QDEwZ2b2xsZXkwIBcNMjYxMTIzMDIyMTA4WhgPMjEyNjEwMzAwMjIxMDhaMBExDzANBgNVBAMTBnZvbGxleTBZMBMGByqGSM49AgEGCCqGSM49\
AwEHA0IABCpqZAfiNr9uzIFa1lG7nJE258aEFFsZ/hVTSf2WS6GBDakMJ3Ed79KRdiPpDpE8rZRVQiChOHr3vsCtVciJqbejPTA7MB0GA1UdDg\
QWBBToawmhNU55IJLBXzSV+O++M7y7ZDAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZIzj0EAwIDRwAwRAIgD1xr9Jkc32ay1D19\
2n54iIQiU48/fw9Lr6n9w/h+f1ACIH+HfzjKDLGmundJM9udXGRfFC53u0iyKFWt4aMCLj9skBikhulLPE+WtPQkgSROBz1BY24=";

const TRUST_STORE_PKCS12: &str = "\
MIICwgIBAzCCAmwGCSqGSIb3DQEHAaCCAl0EggJZMIICVTCCAlEGCSqGSIb3DQEHBqCCAkIwggI+AgEAMIICNwYJKoZIhvcNAQcBMGYGCSqGSI\
b3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBRCth29t0BJl404TsBRI4ZekG1yzwICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEM/y\
uRUsNHwSLbY7K1zRvWWAggHALSGoYGVuwJQOpZ+dvVw3W9hPpU3VhbSGihRR/dwFjAHH1wr03uLeXdVUpXTwUSVZ4jnm1Ltx48RXOD6MeNNgrE\
bi7KzSly6yj7yLT24b6rbLaqyOAoi6ZR3Fe/R0gAVpEZlQ/5DvftH06fApyzGuFZ1JG5noepfvKIEgx1CcnlrfPVf4sCpTN5x1AgIlgsJs39ZF\
Qn7Z4uzkpDvkQsKMlPMcPhaie+zdQVF5hGVi+bGtM52IN5ukysZC49aeEVm/10+eMOK4FuSM38qF3ZoFbdtiIvPyJyuORKKNM249kolbnfIhU3\
J2gWoFAAxv+9XLZBEbM+gGHrwINf93ilntUgVM9vg5UexT8psQgWEoobAGyT+rVRBISHGkPoBveFTgK0+OPEW4LanPtd+q2pqKr0ckxOv6ddYo\
TcSLaaHjidK2Bmz/S4+K/6auiN53/tvLfuY0EbFVrqKfxZ5sdNxmMmaBOT5wFb9UOQlSU/jpFK5r0RlrKww8zGMy9dgy4TX4Ys5v80sEbl7gvU\
VwbMDGzCfp21/nKblpytiru0vASUgiMNGhWaGF3m4pYP8ih83CKiRcD22QBEuy4fVk4o6nrTBNMDEwDQYJYIZIAWUDBAIBBQAEID3geEpbG79u\
QswnCF5EedQtq0li3X/golVnuTJlWqMnBBRjZUGgTIFJinaNpJPCNX5YaWggvwICJxA=";
