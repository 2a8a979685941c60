# SPDX-License-Identifier: Apache-2.0
"""The MongoDB-protocol server of the tests keeps what it acknowledged."""

import pytest

from services import MongoDB, ServiceError
from mongodb_service import FIX, ferretdb


@pytest.fixture(scope="module")
def mongodb():
    with MongoDB() as service:
        yield service


def replacements(numbers, value):
    from pymongo import ReplaceOne

    return [ReplaceOne({"_id": f"k{n}"}, {"v": value}, upsert=True) for n in numbers]


def test_documents_come_back_in_order(mongodb):
    with mongodb.client() as client:
        client.shop.items.insert_many([{"_id": n, "text": "ä" * n} for n in range(2000)])
    assert mongodb.count("shop", "items") == 2000
    assert [d["_id"] for d in mongodb.find_all("shop", "items", {"_id": {"$lt": 3}})] == [0, 1, 2]
    assert mongodb.find_all("shop", "nothing") == []
    mongodb.drop("shop")
    assert mongodb.count("shop", "items") == 0


def test_an_id_that_is_taken_is_told_per_item(mongodb):
    from pymongo import InsertOne
    from pymongo.errors import BulkWriteError

    with mongodb.client() as client:
        client.ids.all.insert_one({"_id": 2})
        with pytest.raises(BulkWriteError) as caught:
            client.ids.all.bulk_write([InsertOne({"_id": n}) for n in range(4)], ordered=False)
    errors = caught.value.details["writeErrors"]
    assert [(e["index"], e["code"]) for e in errors] == [(2, 11000)]
    assert caught.value.details["nInserted"] == 3


def test_a_bulk_of_updates_that_is_sent_again_changes_nothing_and_ends(mongodb):
    # As published, the server never answers the second one: see FIX in mongodb_service.py.
    with mongodb.client(socketTimeoutMS=120000) as client:
        first = client.again.all.bulk_write(replacements(range(300), 1), ordered=False)
        second = client.again.all.bulk_write(replacements(range(300), 1), ordered=False)
        third = client.again.all.bulk_write(replacements(range(150, 300), 2), ordered=False)
    assert (first.upserted_count, second.upserted_count, second.matched_count) == (300, 0, 300)
    assert third.modified_count == 150
    assert mongodb.count("again", "all", {"v": 2}) == 150


def test_a_ttl_index_is_refused_by_its_code(mongodb):
    from pymongo.errors import OperationFailure

    with mongodb.client() as client:
        client.ttl.all.create_index("v")
        with pytest.raises(OperationFailure) as caught:
            client.ttl.all.create_index("at", expireAfterSeconds=60)
    assert caught.value.code == 238


def test_kill_and_start_keep_port_and_data(mongodb):
    uri = mongodb.uri
    with mongodb.client() as client:
        for n in range(50):
            client.kept.all.insert_one({"_id": n})
    mongodb.kill()
    assert mongodb.pids() == []
    mongodb.start()
    assert mongodb.uri == uri
    assert mongodb.count("kept", "all") == 50
    mongodb.stop()
    mongodb.start()
    assert mongodb.count("kept", "all") == 50


def test_a_paused_server_does_not_answer_and_a_resumed_one_does(mongodb):
    from pymongo.errors import PyMongoError

    mongodb.pause()
    with mongodb.client(serverSelectionTimeoutMS=500, connectTimeoutMS=500) as client:
        with pytest.raises(PyMongoError):
            client.admin.command("ping")
    mongodb.resume()
    assert mongodb.count("kept", "all") == 50


def test_a_server_that_cannot_be_fetched_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("STREAMD_CACHE", str(tmp_path))
    monkeypatch.setattr("mongodb_service.go_compiler", lambda: "/bin/false")
    with pytest.raises(ServiceError, match="(?s)./dev services fetch.*copy .*ferretdb-"):
        ferretdb()
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]
    assert FIX[0].endswith(".go")
