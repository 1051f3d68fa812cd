"""Print what a filter sends: python consumer.py localhost:9092 boreal-kilonovae http://localhost:8081."""

import json
import sys
from io import BytesIO
from urllib.request import urlopen

from confluent_kafka import Consumer
from fastavro import parse_schema, schemaless_reader

brokers, topic, registry = sys.argv[1:]
start = {"group.id": f"{topic}.reader", "auto.offset.reset": "earliest", "enable.auto.commit": False}
consumer, schemas = Consumer({"bootstrap.servers": brokers, **start}), {}
consumer.subscribe([topic])
while True:
    if (message := consumer.poll(1.0)) is None:
        continue
    if message.error():
        sys.exit(str(message.error()))
    number, record = int.from_bytes(message.value()[1:5], "big"), BytesIO(message.value()[5:])
    if number not in schemas:  # the first five bytes name it: a zero, and its number in the registry
        schemas[number] = parse_schema(json.loads(json.load(urlopen(f"{registry}/schemas/ids/{number}"))["schema"]))
    alert = schemaless_reader(record, schemas[number])
    print(message.key().decode(), alert["objectId"], alert["className"], round(alert["probability"], 3), flush=True)
    consumer.commit(message)  # done with it: a reader that starts again goes on with the next
