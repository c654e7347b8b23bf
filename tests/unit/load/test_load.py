# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an answer."""

from __future__ import annotations

import pytest
from load import NoAnswer, head


@pytest.mark.parametrize(
    ("text", "status", "headers"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200, {}),
        (b"HTTP/1.0 502 Bad Gateway\r\nContent-Length: 0\r\nX-Version:  1.0 \r\n\r\n", 502, {"content-length": "0", "x-version": "1.0"}),
        (b"HTTP/1.1 204\r\nLocation: https://a:1/\r\n\r\n", 204, {"location": "https://a:1/"}),
    ],
)
def test_head(text: bytes, status: int, headers: dict[str, str]) -> None:
    assert head(text) == (status, headers)


@pytest.mark.parametrize("text", [b"\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"hello\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n"])
def test_no_answer(text: bytes) -> None:
    with pytest.raises(NoAnswer):
        head(text)
