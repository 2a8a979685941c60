# SPDX-License-Identifier: Apache-2.0
"""Conversion of one value, strictly as the reference of operator convert says."""

import ipaddress
import json
import re

from oracle_values import INT_MAX, INT_MIN, NUMBERS, Ip, Time, kind, read_time


def convert(value, to, form=None):
    """(True, converted) or (False, None)."""
    k = kind(value)
    result = None
    if to == "int":
        if k in ("int", "bool"):
            result = int(value)
        elif k == "double" and -2.0**63 <= value < 2.0**63 and value == int(value):
            result = int(value)
        elif k == "string" and re.fullmatch(r"-?[0-9]+", value) and INT_MIN <= int(value) <= INT_MAX:
            result = int(value)
    elif to == "double":
        if k in NUMBERS or (k == "string" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", value)):
            result = float(value)
    elif to == "bool":
        known = {"true": True, "1": True, "false": False, "0": False}
        if k == "bool" or (k == "int" and value in (0, 1)):
            result = bool(value)
        elif k == "string":
            result = known.get(value)
    elif to == "string":
        if k in ("string", "int", "uint"):
            result = str(value)
        elif k == "bool":
            result = "true" if value else "false"
        elif k == "double":
            result = repr(value)
        else:
            result = json.dumps(value, separators=(",", ":"))
    elif to == "timestamp":
        micros = read_time(value, form or "rfc3339")
        result = None if micros is None else Time(micros)
    elif to == "ip" and k == "string":
        try:
            result = Ip(str(ipaddress.ip_address(value)))
        except ValueError:
            pass
    return result is not None, result
