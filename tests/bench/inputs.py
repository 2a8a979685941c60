# SPDX-License-Identifier: Apache-2.0
"""The benchmark's input files: made once, kept in the cache (see services.cached).

All come from `streamd generate`, so that record n is the same on every machine:
100,000 clients by a Zipf-like law, 10,000 records per second of event time, times
up to 1 s out of order.
"""

import heapq
import random
import subprocess
import time

from service import cache_dir, cached

VERSION = 1  # Of the files: a change here makes them anew.
KEYS = 1_000_000


def _folder(name, fill):
    (cache_dir() / "bench").mkdir(exist_ok=True)
    return cached(f"bench/{name}-v{VERSION}", fill)


def requests(binary, records):
    """NDJSON, one file."""

    def fill(folder):
        print(f"making {records:,} records, once", flush=True)
        subprocess.run([binary, "generate", "nginx", "--count", str(records), "--rate", "10000",
                        "--clients", "100000", "--disorder", "1s", "--seed", "1",
                        "--output", folder / "requests.ndjson"], check=True)

    return _folder(f"requests-{records}", fill) / "requests.ndjson"


def halves(binary, records):
    """The same records in two files, line by line in turn."""
    whole = requests(binary, records)

    def fill(folder):
        with open(whole, "rb") as lines, open(folder / "1.ndjson", "wb") as one, \
                open(folder / "2.ndjson", "wb") as two:
            for line in lines:
                one.write(line)
                two.write(next(lines, b""))

    folder = _folder(f"halves-{records}", fill)
    return [folder / "1.ndjson", folder / "2.ndjson"]


def combined(binary, records):
    """The same requests as access log lines; pipelines/combined.yaml says how."""
    whole = requests(binary, records)

    def fill(folder):
        print(f"making {records:,} access log lines, once", flush=True)
        seconds = {}
        with open(whole, "rb") as lines, open(folder / "access.log", "wb") as out:
            for line in lines:
                # {"server":"…","client_ip":"…","method":"…","status":"…","request_time":"…", …
                part = line.split(b'"')
                second = part[31][:10]
                when = seconds.get(second)
                if when is None:
                    when = seconds[second] = time.strftime(
                        "%d/%b/%Y:%H:%M:%S +0000", time.gmtime(int(second))).encode()
                size = int(part[19].replace(b".", b""))
                out.write(b'%s - %s [%s] "%s /%s HTTP/1.1" %s %d "-" "Mozilla/5.0 (X11; Linux)"\n' % (
                    part[7], part[27], when, part[11], part[23], part[15], size))

    return _folder(f"combined-{records}", fill) / "access.log"


def many_keys():
    """Two records of each of a million clients, in an order without locality, within one minute."""

    def fill(folder):
        print(f"making records of {KEYS:,} clients, once", flush=True)
        start = 1_704_067_200_000_000
        with open(folder / "requests.ndjson", "w") as out:
            for n in range(2 * KEYS):
                key = n * 611_953 % KEYS  # A prime: every key once in a million records.
                at = start + n * 25
                out.write(f'{{"server":"s_v1","client_ip":"10.{key >> 16}.{key >> 8 & 255}.{key & 255}"'
                          f',"method":"GET","status":"200","request_time":"0.10"'
                          f',"host":"api_{key % 40}.example.com","country":"US"'
                          f',"@timestamp":"{at // 1_000_000}.{at % 1_000_000:06}"}}\n')

    return _folder("many-keys", fill) / "requests.ndjson"


PANES_START = 1_704_067_200


def panes(seconds, keys=KEYS, times=1):
    """So many keys, each so many times in every second: what a sliding window of more seconds keeps
    is an entry for each key and second."""

    def fill(folder):
        print(f"making {seconds * keys * times:,} records of {keys:,} keys, once", flush=True)
        with open(folder / "panes.ndjson", "w") as out:
            for second in range(seconds):
                time_text = f'","t":{PANES_START + second}}}\n'
                for n in range(keys * times):
                    key = n * 611_953 % keys
                    out.write(f'{{"k":"10.{key >> 16}.{key >> 8 & 255}.{key & 255}{time_text}')

    return _folder(f"panes-{seconds}-{keys}-{times}", fill) / "panes.ndjson"


def disordered(binary, records):
    """Two files of the same records: in order of time, and with 5 % of them 1 to 9,000 places
    (at most 0.9 s) behind their own."""

    def fill(folder):
        print(f"making {records:,} records in order and out of it, once", flush=True)
        ordered = folder / "ordered.ndjson"
        subprocess.run([binary, "generate", "nginx", "--count", str(records), "--rate", "10000",
                        "--clients", "100000", "--seed", "1", "--output", ordered], check=True)
        dice = random.Random(1)
        held = []  # (place at which it comes, line)
        with open(ordered, "rb") as lines, open(folder / "mixed.ndjson", "wb") as out:
            for place, line in enumerate(lines):
                while held and held[0][0] <= place:
                    out.write(heapq.heappop(held)[1])
                if dice.random() < 0.05:
                    heapq.heappush(held, (place + dice.randint(1, 9000), line))
                else:
                    out.write(line)
            for _, line in sorted(held):
                out.write(line)

    folder = _folder(f"disorder-{records}", fill)
    return folder / "ordered.ndjson", folder / "mixed.ndjson"
