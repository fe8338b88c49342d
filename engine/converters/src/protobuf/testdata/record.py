"""Writes messages with Confluent's own serializer for Python, for the tests: record.py > python.tsv

A line each: name, schema as it is registered, references (JSON: name to schema), message in hexadecimal digits. Needs
confluent-kafka[schemaregistry,protobuf] and grpcio-tools.
"""

import importlib
import json
import os
import shutil
import sys
import tempfile

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue
from grpc_tools import protoc

here = os.path.dirname(os.path.abspath(__file__))
work = tempfile.mkdtemp()
os.makedirs(work + "/common")
shutil.copy(here + "/money.proto", work + "/common/money.proto")
shutil.copy(here + "/shop.proto", work)
shutil.copy(here + "/legacy.proto", work)
well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
files = ["common/money.proto", "shop.proto", "legacy.proto"]
assert protoc.main(["protoc", "-I" + work, "-I" + well_known, "--python_out=" + work, *files]) == 0
sys.path.insert(0, work)
money, shop, legacy = (importlib.import_module(name) for name in ["common.money_pb2", "shop_pb2", "legacy_pb2"])


def line(article, count=0, price=None):
    return shop.Order.Line(article=article, count=count, price=price)


full = shop.Order(
    id=-5, note="Grüße", state=shop.Order.LOST,
    lines=[line("pen", 2, money.Money(currency="EUR", cents=-150)), line("")],
    stock={"a": 1, "b": 0}, places={7: line("ink", 1)}, cash=money.Money(currency="CHF", cents=10**12),
    at=Timestamp(seconds=1700000000, nanos=123456789), coupon=StringValue(value="x"), deltas=[1, -1, 300],
    large=2**64 - 1, fixed=2**32 - 1, raw=b"\x00\xff", weight=-0.1, height=1.5,
)
old = legacy.Legacy(id=1, loose=[1, -1], packed=[3, 300])
old.detail.good = True
old.Extensions[legacy.more] = "unknown to readers"
cases = {
    "full": full,
    "empty": shop.Order(),
    "zeros": shop.Order(note="", card="", at=Timestamp(), coupon=StringValue()),
    "nested": line("pen", 3),
    "tree": shop.Tree(value=1, children=[shop.Tree(value=2, children=[shop.Tree()]), shop.Tree(value=3)]),
    "legacy": old,
    "bare": legacy.Legacy(id=2),
}
for name, message in cases.items():
    client = SchemaRegistryClient.new_client({"url": "mock://" + name})
    serialize = ProtobufSerializer(type(message), client, {"use.deprecated.format": False})
    bytes_ = serialize(message, SerializationContext("topic", MessageField.VALUE))
    schema = client.get_latest_version("topic-value").schema
    references = {}
    for reference in schema.references or []:
        references[reference.name] = client.get_version(reference.subject, reference.version).schema.schema_str
    print(name, schema.schema_str, json.dumps(references), bytes_.hex(), sep="\t")
