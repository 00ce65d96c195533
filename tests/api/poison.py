"""Payloads that have broken servers before, as bytes: broken JSON, hostile texts, numbers without bounds."""

import base64
import gzip
import json
from typing import Any

DEEP = 100_000

# --- whole bodies ---------------------------------------------------------------------------------

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a space": b" ",
    "half an object": b'{"body": "x"',
    "an open string": b'{"body": "x',
    "a comma too many": b'{"body": "x",}',
    "single quotes": b"{'body': 'x'}",
    "two objects": b"{}{}",
    "a form": b"body=x&job_id=1",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "null": b"null",
    "true": b"true",
    "a number": b"12",
    "a text": b'"body"',
    "a list": b"[]",
    "a list of objects": b"[{}]",
    "an empty object": b"{}",
    "lists in lists": b"[" * DEEP,
    "closed lists in lists": b"[" * DEEP + b"]" * DEEP,
    "objects in objects": b'{"a":' * DEEP,
    "a byte order mark": b'\xef\xbb\xbf{"body": "x"}',
    "UTF-16": '{"body": "x"}'.encode("utf-16"),
    "gzip": gzip.compress(b'{"body": "x"}'),
    "bytes that are no UTF-8": b'{"body": "\xff\xfe"}',
    "NUL bytes": b"\x00" * 100,
    "NaN": b"NaN",
    "a key that is not known": b'{"subjct": "x"}',
    "a key with NUL": b'{"\\u0000": 1}',
    "a key that is half a surrogate": b'{"\\ud800": 1}',
    "__proto__": b'{"__proto__": {"admin": true}}',
    "a megabyte": b'{"body": "' + "Z\u0351\u036b\u0343".encode() * 150_000 + b'"}',
}

# --- values, as they stand in JSON ----------------------------------------------------------------

TEXTS: dict[str, bytes] = {
    "empty": b'""',
    "spaces": b'"  \\t\\n "',
    "NUL, escaped": b'"a\\u0000b"',
    "NUL, raw": b'"a\x00b"',
    "a bell, escaped": b'"a\\u0007b"',
    "a newline, raw": b'"a\nb"',
    "a header's end": b'"a\\r\\nBcc: x@example.com"',
    "C1 controls": b'"a\\u0085\\u009b31mb"',
    "half a surrogate": b'"a\\ud800b"',
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "no UTF-8": b'"\xc3\x28"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "line separators": '"a\u2028b\u2029c"'.encode(),
    "right to left": '"\u202egnp.exe \u0645\u0631\u062d\u0628\u0627"'.encode(),
    "nothing to see": '"\u200b\u2060\ufeff"'.encode(),
    "zalgo": b'"Z' + "\u0351\u036b\u0343".encode() * 2_000 + b'"',
    "long": b'"' + b"a" * 100_000 + b'"',
    "one word beyond any index": b'"' + b"w" * 9_999 + b'"',
    "SQL": b'"\'; DROP TABLE chat_messages; --"',
    "LIKE": b'"%_\\\\%"',
    "markup": b'"<script>alert(1)</script>{{7*7}}${7*7}%s%n"',
    "grinning": '"\U0001f600\U0001f1e9\U0001f1ea\ufe0f\u200d"'.encode() * 1,
    "digits": b'"12"',
    "a date that is none": b'"2026-02-30T25:61:00Z"',
    "the first year": b'"0001-01-01T00:00:00+14:00"',
    "the last year": b'"9999-12-31T23:59:59-14:00"',
}
NUMBERS: dict[str, bytes] = {
    "zero": b"0",
    "minus zero": b"-0",
    "minus one": b"-1",
    "beyond 31 bits": b"2147483648",
    "beyond 63 bits": b"9223372036854775808",
    "below 63 bits": b"-9223372036854775809",
    "beyond 64 bits": b"18446744073709551616",
    "400 digits": b"1" * 400,
    "5,000 digits": b"1" * 5_000,
    "a fraction": b"1.5",
    "a whole float": b"1.0",
    "beyond floats": b"1e400",
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "a leading zero": b"007",
    "a hexadecimal": b"0x10",
}
OTHERS: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "an object": b"{}",
    "a list": b"[]",
    "a list of texts": b'["1"]',
    "a list of null": b"[null]",
    "a list of big numbers": b"[9223372036854775808]",
    "a list of one that is absent": b"[987654321]",
    "the same one twice": b"[2,2]",
    "many": b"[" + b",".join([b"2"] * 5_000) + b"]",
    "lists in lists": b"[" * DEEP + b"]" * DEEP,
    "a key within": b'{"a": 1}',
}
VALUES = {**TEXTS, **NUMBERS, **OTHERS}

# --- values, as they stand in an address ----------------------------------------------------------

IN_QUERIES: dict[str, bytes] = {
    "empty": b"",
    "a space": b"+",
    "NUL": b"%00",
    "no UTF-8": b"%FF",
    "a surrogate": b"%ED%A0%80",
    "half an escape": b"%",
    "no escape": b"%zz",
    "line separator": b"%E2%80%A8",
    "grinning": b"%F0%9F%98%80",
    "long": b"a" * 20_000,
    "zero": b"0",
    "minus one": b"-1",
    "beyond 63 bits": b"9223372036854775808",
    "5,000 digits": b"1" * 5_000,
    "a fraction": b"1.5",
    "beyond floats": b"1e400",
    "NaN": b"NaN",
    "null": b"null",
    "a list": b"%5B1%5D",
    "SQL": b"%27%20OR%201%3D1%20--",
    "FTS": b"%22%20OR%20NEAR(a%20b)%20*%20-x%3A%20%26%20%7C%20!",
    "LIKE": b"%25_%5C",
    "another key within": b"%26admin%3Dtrue",
}
IN_PATHS: dict[str, bytes] = {
    "zero": b"0",
    "minus one": b"-1",
    "absent": b"987654321",
    "beyond 31 bits": b"2147483648",
    "the largest": b"9223372036854775807",
    "beyond 63 bits": b"9223372036854775808",
    "400 digits": b"1" * 400,
    "5,000 digits": b"1" * 5_000,
    "a fraction": b"1.5",
    "NaN": b"NaN",
    "a text": b"abc",
    "NUL": b"%00",
    "a digit and NUL": b"1%00",
    "no UTF-8": b"%FF",
    "a surrogate": b"%ED%A0%80",
    "half an escape": b"%",
    "no escape": b"%zz",
    "a slash": b"1%2F2",
    "a step up": b"..%2F..%2Fetc%2Fpasswd",
    "two dots": b"..",
    "nothing": b"",
    "a semicolon": b"1;a=b",
    "a newline": b"1%0A",
    "SQL": b"1%20OR%201=1",
    "long": b"1" + b"0" * 20_000,
}


def cursor(value: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


CURSORS: dict[str, bytes] = {
    "not base64": b"!!!!",
    "base64 cut short": b"WzE",
    "base64 of no JSON": base64.urlsafe_b64encode(b"hello"),
    "base64 of bytes": base64.urlsafe_b64encode(b"\xff\x00\xff"),
    "base64 of deep lists": base64.urlsafe_b64encode(b"[" * 100),
    "base64 of nothing at all": b"====",
    "no numbers": cursor([]),
    "too many numbers": cursor([1, 2, 3, 4]),
    "texts": cursor(["1", "2"]),
    "null": cursor(None),
    "an object": cursor({"a": 1}),
    "fractions": cursor([1.5, 2.5]),
    "truths": cursor([True, True]),
    "too big": cursor([2**63]),
    "too big, twice": cursor([2**63, 2**63]),
    "far below": cursor([-(2**63), -(2**63)]),
    "one": cursor([1]),
    "two": cursor([1, 2]),
    "the largest": cursor([2**63 - 1, 2**63 - 1]),
    "below zero": cursor([-1, -1]),
}

# --- headers --------------------------------------------------------------------------------------

HEADERS: dict[str, dict[bytes, bytes]] = {
    "a bearer token that is no ASCII": {b"Authorization": b"Bearer jt_\xe9\xff\x80"},
    "an empty bearer token": {b"Authorization": b"Bearer "},
    "a scheme alone": {b"Authorization": b"Bearer"},
    "another scheme": {b"Authorization": b"Basic YWRhOng="},
    "a long bearer token": {b"Authorization": b"Bearer " + b"a" * 30_000},
    "an API key that is none": {b"Authorization": b"Bearer jt_abc"},
    "a cookie that is no ASCII": {b"Cookie": b"jobthread=\xff\xfe\xe9; jobthread_job_1=\xff"},
    "a huge cookie": {b"Cookie": b"jobthread=" + b"a" * 40_000},
    "many cookies": {b"Cookie": b"; ".join(b"c%d=x" % number for number in range(3_000))},
    "a cookie without a name": {b"Cookie": b"=; ;;=x; jobthread"},
    "a cookie with quotes": {b"Cookie": b'jobthread="; jobthread_job_1="'},
    "from another site": {b"Origin": b"https://elsewhere.example.com"},
    "from nowhere": {b"Origin": b"null"},
    "an origin that is none": {b"Origin": b"\xff://[::1"},
    "a fetch of another site": {b"Sec-Fetch-Site": b"cross-site"},
    "a fetch of no kind": {b"Sec-Fetch-Site": b"\xff"},
    "a long user agent": {b"User-Agent": b"\xff" * 5_000},
    "an address that is none": {b"X-Forwarded-For": b"'; DROP TABLE users; --, \xff"},
    "a validator that is none": {b"If-None-Match": b'\xff, W/"unread-0"*'},
    "wants pictures": {b"Accept": b"image/png;q=\xff"},
    "wants a range": {b"Range": b"bytes=-9999999999999999999"},
    "overrides the method": {b"X-HTTP-Method-Override": b"DELETE"},
}
CONTENT_TYPES: dict[str, dict[bytes, bytes]] = {
    "no type": {},
    "text": {b"Content-Type": b"text/plain"},
    "a form": {b"Content-Type": b"application/x-www-form-urlencoded"},
    "a multipart form": {b"Content-Type": b"multipart/form-data; boundary=x"},
    "JSON's cousin": {b"Content-Type": b"application/json-patch+json"},
    "bytes": {b"Content-Type": b"\xff\xfe"},
    "two types": {b"Content-Type": b"application/json, text/plain"},
    "another charset": {b"Content-Type": b"application/json; charset=utf-16"},
    "gzip": {b"Content-Type": b"application/json", b"Content-Encoding": b"gzip"},
}
METHODS = ("PUT", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "DELETE", "PATCH", "POST", "GET")

# --- what only looks like HTTP --------------------------------------------------------------------

NO_HTTP: dict[str, bytes] = {
    "a bare byte in the target": b"GET /api/jobs/\xe9 HTTP/1.1\r\nHost: localhost",
    "a NUL in the target": b"GET /api/jobs/\x00 HTTP/1.1\r\nHost: localhost",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b",
    "a method that is none": b"BREW /healthz HTTP/1.1\r\nHost: localhost",
    "a length that is none": b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1",
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2",
    "a greeting of another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
