"""Reads what the converter writes (written.hex) with classes that protoc makes of the file that it registers (written.proto).

Needs protobuf and grpcio-tools.
"""

import importlib
import os
import re
import sys
import tempfile

from grpc_tools import protoc

here = os.path.dirname(os.path.abspath(__file__))
work = tempfile.mkdtemp()
built_in = open(here + "/../schema/built_in.rs").read()
files = {"META": "confluent/meta.proto", "DECIMAL": "confluent/type/decimal.proto", "DATE": "google/type/date.proto",
         "TIME": "google/type/timeofday.proto"}
for constant, name in files.items():
    os.makedirs(os.path.dirname(work + "/" + name), exist_ok=True)
    text = re.search(f'const {constant}: &str = r#"(.*?)"#', built_in, re.DOTALL).group(1)
    with open(work + "/" + name, "w") as file:
        file.write(text)
with open(work + "/written.proto", "w") as file:
    file.write(open(here + "/written.proto").read())
well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
descriptors = work + "/all.bin"
arguments = ["-I" + work, "-I" + well_known, "--include_imports", "--descriptor_set_out=" + descriptors, "written.proto"]
assert protoc.main(["protoc", *arguments]) == 0

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(open(descriptors, "rb").read()).file:
    pool.Add(file)
order = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))()
order.ParseFromString(bytes.fromhex(open(here + "/written.hex").read().strip()))
assert order.WhichOneof("payment") == "cash" and order.cash is False
assert order.id == -5 and not order.HasField("none") and order.HasField("zero") and order.zero == 0
assert order.f == 1.5 and order.raw == b"\x00\xff"
assert [(line.article, line.HasField("count"), line.count) for line in order.lines] == [("pen", True, -2), ("", False, 0)]
assert order.state == 7 and dict(order.by_name) == {"a": 0.5}
assert [(entry.key, entry.value) for entry in order.by_number] == [(0.25, 4.0)]
assert int.from_bytes(order.amount.value, "big") == 1234 and order.amount.scale == 2
assert (order.at.seconds, order.at.nanos) == (-1, 999_000_000)
assert (order.day.year, order.day.month, order.day.day) == (2022, 1, 8)
assert (order.time.hours, order.time.minutes, order.time.seconds, order.time.nanos) == (1, 2, 3, 4_000_000)
assert [list(row.value) for row in order.matrix] == [[1, 2], [], [3]]
options = pool.FindMessageTypeByName("shop.Order.Line").GetOptions()
meta = pool.FindExtensionByName("confluent.message_meta")
options = type(options).FromString(options.SerializeToString())
print("all as it was written; options of Line:", options)
