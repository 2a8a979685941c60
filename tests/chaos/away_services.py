# SPDX-License-Identifier: Apache-2.0
"""The services that away_sink.py hurts: how a pipeline writes to each, what is there, and what may
happen to it. A pipeline always goes through the fault proxy, so that either end can be hurt.
"""

import re
from collections import Counter

from services import Discord, FaultProxy, MongoDB, OpenSearch


class Hurt:
    """One way to hurt a service: begin() and end(). `told`: streamd has to say so."""

    def __init__(self, name, begin, end, told=True):
        self.name, self.begin, self.end, self.told = name, begin, end, told


class Far:
    """A service behind a proxy.

    share      of the records, one in so many goes there
    once       whether a record's id keeps it from being there twice
    real_kill  whether its own start is short enough for the small form
    few        how many outages the small form has
    limited    as in Outages
    timeout    of one request, where outages are long
    """

    share, once, http, real_kill, few, limited = 1, True, True, True, 4, None
    timeout = "5s"

    def __init__(self, cleanup, make):
        self.service = cleanup.enter_context(make())
        self.proxy = cleanup.enter_context(FaultProxy(self.service.port, http=self.http))

    def batch(self, small):
        """What its sink says of batches; by default what everybody has."""
        return ""

    def hurts(self, small):
        """Those that every service knows."""
        stop = Hurt("killed", self.service.kill, self.service.start)
        if small and not self.real_kill:
            stop = Hurt("gone", self.proxy.refuse, self.proxy.pass_through)
        return [stop, Hurt("frozen", self.service.pause, self.service.resume),
                self._by_proxy("slow", lambda: self.proxy.slow(20_000), told=False),
                self._by_proxy("cut off in its answers", lambda: self.proxy.cut(20, None)),
                self._by_proxy("cut off before its answers", lambda: self.proxy.cut(0, None))]

    def http_hurts(self):
        return [self._by_proxy("answering 429", lambda: self.proxy.too_many_requests(0, None)),
                self._by_proxy("answering 500", lambda: self.proxy.server_error(None)),
                self._by_proxy("answering garbage", lambda: self.proxy.garbage(None)),
                self._by_proxy("answering with a web page", lambda: self.proxy.html(200, None))]

    def _by_proxy(self, name, begin, told=True):
        return Hurt(name, begin, self.proxy.pass_through, told)


class Elasticsearch(Far):
    real_kill, few = False, 3  # Its start takes 6 to 20 s.

    def __init__(self, cleanup):
        super().__init__(cleanup, OpenSearch)

    def hurts(self, small):
        return super().hurts(small) + self.http_hurts()

    def sink(self, name, timeout):
        return f"type: elasticsearch, url: \"{self.proxy.url}\", index: \"{name}-%Y\", timeout: {timeout}"

    def count(self, name):
        return self.service.count(f"{name}-*")

    def numbers(self, name):
        return Counter(hit["_source"]["n"] for hit in self.service.search(f"{name}-*"))


class Mongo(Far):
    http = False
    # FerretDB reads the whole collection to find some ids, 0.1 ms a document on an idle machine; what
    # is given up goes on there, and slows down what is asked again. So there are not too many.
    share, timeout = 10, "10s"

    def __init__(self, cleanup):
        super().__init__(cleanup, MongoDB)

    def sink(self, name, timeout):
        millis = 1000 * int(timeout.removesuffix("s"))
        uri = f"mongodb://127.0.0.1:{self.proxy.port}/?directConnection=true&heartbeatFrequencyMS=500" \
              f"&socketTimeoutMS={millis}&serverSelectionTimeoutMS={millis}&connectTimeoutMS={millis}"
        return f"type: mongodb, uri: \"{uri}\", database: {name}, collection: all"

    def count(self, name):
        return self.service.count(name, "all")

    def numbers(self, name):
        return Counter(document["n"] for document in self.service.find_all(name, "all"))


class Chat(Far):
    share = 100  # A channel takes 30 messages a minute.
    once, limited = False, "too many messages (429)"

    def __init__(self, cleanup):
        super().__init__(cleanup, Discord)
        self._hooks = {}

    def hurts(self, small):
        limited = b'{"message":"You are being rate limited.","retry_after":0.3,"global":true}'
        return super().hurts(small) + [
            self._by_proxy("answering 429", lambda: self.proxy.answer(429, limited, times=None)),
            *(hurt for hurt in self.http_hurts() if "429" not in hurt.name)]

    def batch(self, small):
        # A channel's messages are few.
        return f"linger: {'500ms' if small else '4s'}"

    def sink(self, name, timeout):
        self._hooks[name] = hook = self.service.webhook()
        url = self.service.webhook_url(hook).replace(self.service.url, self.proxy.url)
        return f"type: discord, webhook: \"{url}\", message: \"record {{{{ n }}}}.\", timeout: {timeout}"

    def count(self, name):
        return len(self.numbers(name))

    def numbers(self, name):
        with self.service.lock:
            texts = [m["content"] for m in self.service.messages
                     if m["webhook_id"] == self._hooks[name].id]
        return Counter(int(n) for text in texts for n in re.findall(r"record (\d+)", text))
