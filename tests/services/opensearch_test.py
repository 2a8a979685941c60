# SPDX-License-Identifier: Apache-2.0
"""The OpenSearch of the tests is real, keeps its data, and its methods tell the truth."""

import pytest

from services import OpenSearch, ServiceError, TlsFront


@pytest.fixture(scope="module")
def opensearch():
    with OpenSearch() as service:
        yield service


def created(index, numbers):
    return [({"create": {"_index": index, "_id": f"id-{n:06d}"}}, {"n": n}) for n in numbers]


def test_documents_are_counted_and_read_back(opensearch):
    items = opensearch.bulk(created("read-1", range(12000)))
    assert {item["create"]["status"] for item in items} == {201}
    opensearch.bulk(created("read-2", [7]))
    assert opensearch.count("read-1") == 12000
    found = opensearch.search("read-*")
    assert [hit["_source"]["n"] for hit in found] == [*range(12000), 7]
    assert opensearch.search("read-*", {"term": {"n": 7}})[1]["_index"] == "read-2"


def test_an_index_that_is_not_there_is_empty(opensearch):
    assert opensearch.count("nowhere") == 0
    assert opensearch.search("nowhere") == []


def test_a_second_create_of_an_id_is_told_per_item(opensearch):
    opensearch.bulk(created("twice", [1]))
    items = opensearch.bulk(created("twice", [1, 2]))
    assert [item["create"]["status"] for item in items] == [409, 201]
    assert opensearch.count("twice") == 2


def test_templates_are_listed_and_obeyed(opensearch):
    opensearch.put_template("addresses", {
        "index_patterns": ["address-*"], "priority": 200,
        "template": {"mappings": {"properties": {"ip": {"type": "ip"}}}}})
    assert opensearch.templates()["addresses"]["index_patterns"] == ["address-*"]
    refused = opensearch.bulk([({"create": {"_index": "address-1", "_id": "a"}}, {"ip": "no"})])
    assert refused[0]["create"]["error"]["type"] == "mapper_parsing_exception"
    assert opensearch.mapping("address-1")["ip"] == {"type": "ip"}


def test_a_request_that_is_wrong_is_an_error_with_the_services_words(opensearch):
    with pytest.raises(ServiceError, match="index_template.*400"):
        opensearch.put_template("wrong", {"index_patterns": []})


def test_kill_and_start_keep_port_and_data(opensearch):
    opensearch.bulk(created("killed", range(100)))
    url = opensearch.url
    opensearch.kill()
    with pytest.raises(OSError):
        opensearch.request("GET", "/")
    opensearch.start()
    assert opensearch.url == url
    assert opensearch.count("killed") == 100
    assert "addresses" in opensearch.templates()
    opensearch.delete_index("killed")
    assert "killed" not in opensearch.indices()


def test_a_paused_node_does_not_answer_and_a_resumed_one_does(opensearch):
    opensearch.pause()
    with pytest.raises(TimeoutError):
        opensearch.request("GET", "/", timeout=0.5)
    opensearch.resume()
    assert opensearch.request("GET", "/")[1]["version"]["distribution"] == "opensearch"


def test_behind_the_front_it_asks_for_a_password_and_speaks_tls(opensearch):
    with TlsFront(upstream=opensearch.url, user="elastic", password="secret") as front:
        assert front.get("/_cluster/health")[0] == 401
        status, body = front.get("/_cluster/health", user="elastic", password="secret")
        assert status == 200 and '"number_of_nodes":1' in body
