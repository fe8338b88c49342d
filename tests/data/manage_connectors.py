"""Manages connectors of the worker at argv[1], which write to the topic argv[2], with kafka-connect-py."""

import sys
import time

from kafka_connect import KafkaConnect
from requests.exceptions import HTTPError

url, topic = sys.argv[1:3]
client = KafkaConnect(url)
config = {
    "connector.class": "org.apache.kafka.connect.tools.VerifiableSourceConnector",
    "topic": topic,
    "throughput": "10",
    "tasks.max": "2",
}


def until(what, look):
    """Waits until look() is true; a rebalance may be under way, and a new connector has no status yet."""
    deadline = time.monotonic() + 60
    while True:
        try:
            if look():
                return
        except HTTPError as error:
            if error.response is not None and error.response.status_code not in (404, 409):
                raise
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def settled(call, *arguments, **options):
    """Makes a call, again while a rebalance is under way."""
    answers = []

    def look():
        answers.append(call(*arguments, **options))
        return True

    until(call.__name__, look)
    return answers[-1]


def is_in(state, tasks):
    def look():
        status = client.get_connector_status("numbers")
        states = [status["connector"]["state"]] + [task["state"] for task in status["tasks"]]
        return states == [state] * (tasks + 1)

    return look


info = client.get_cluster_info()
assert set(info) == {"version", "commit", "kafka_cluster_id"}, info
assert any(plugin["class"] == config["connector.class"] for plugin in client.list_connector_plugins())

validated = client.validate_connector_config("VerifiableSourceConnector", {"name": "numbers", **config})
assert validated["error_count"] == 0, validated
broken = {"name": "broken", **config, "tasks.max": "none"}
assert client.validate_connector_config("VerifiableSourceConnector", broken)["error_count"] > 0

assert client.list_connectors() == []
created = client.create_connector({"name": "numbers", "config": config})
assert created["name"] == "numbers" and created["type"] == "source", created
assert created["config"] == {"name": "numbers", **config}, created
until("it runs", is_in("RUNNING", 2))
assert client.list_connectors() == ["numbers"]
assert list(client.list_connectors(expand="status")) == ["numbers"]
assert list(client.list_connectors(expand="info", pattern="num.*")) == ["numbers"]
assert list(client.list_connectors(state="RUNNING")) == ["numbers"]
assert settled(client.get_connector, "numbers")["config"]["topic"] == topic
assert settled(client.get_connector_config, "numbers") == {"name": "numbers", **config}
assert len(settled(client.list_connector_tasks, "numbers")) == 2
assert client.get_connector_task_status("numbers", 1)["state"] == "RUNNING"
until("it writes", lambda: client.list_connector_topics("numbers") == {"numbers": {"topics": [topic]}})
client.reset_connector_topics("numbers")

client.pause_connector("numbers")
until("it is paused", is_in("PAUSED", 2))
client.resume_connector("numbers")
until("it runs again", is_in("RUNNING", 2))
settled(client.restart_connector, "numbers")
until("it runs after a restart", is_in("RUNNING", 2))
restarted = settled(client.restart_connector, "numbers", include_tasks=True)
assert restarted["name"] == "numbers", restarted
until("it runs after a restart with its tasks", is_in("RUNNING", 2))
settled(client.restart_connector_task, "numbers", 1)
until("it runs after a restart of a task", is_in("RUNNING", 2))

updated = settled(client.update_connector, "numbers", {**config, "tasks.max": "1"})
assert updated["config"]["tasks.max"] == "1", updated
until("it has one task", is_in("RUNNING", 1))

settled(client.stop_connector, "numbers")
until("it is stopped", is_in("STOPPED", 0))
client.resume_all_connectors()
until("it runs after a stop", is_in("RUNNING", 1))
client.pause_all_connectors(pattern="numbers")
until("it is paused with all others", is_in("PAUSED", 1))
settled(client.delete_connector, "numbers")
assert client.list_connectors() == []

for call in (client.get_connector, client.get_connector_status, client.delete_connector, client.pause_connector):
    try:
        call("nobody")
        raise AssertionError(f"{call.__name__} found a connector that is not there")
    except HTTPError as error:
        assert error.response.status_code == 404, error
try:
    client.create_connector({"name": "broken", "config": broken})
    raise AssertionError("a connector with a bad number of tasks was created")
except HTTPError as error:
    assert error.response.status_code == 400, error
