"""A hub on this machine for the tests: it answers the requests of a download, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from dataclasses import dataclass, field

COMMIT = "c0ffee" * 6 + "abcd"


@dataclass
class MisbehavingHub:
    """One data set on 127.0.0.1; like the real hub it sends the client on to a second host for the content.

    Args:
        files: Content of each file by its path in the data set.
        hub_id: Name of the data set.
        bytes_before_cut: Close the connection after so many bytes of content, all requests together.
        cut_once: Cut only one connection.
        lacks_bytes: Know the file without its last bytes, so that they can never be had.
        corrupt: Send content that does not match the listed checksum.
        ignore_range: Always answer with the whole file.
        statuses: Answer this many file requests with these error codes first.
        listing_statuses: The same for the file list.
        login_page: Answer every request with a page of HTML, as a captive portal does.
        seconds_per_answer: Wait before sending content.
    """

    files: dict[str, bytes]
    hub_id: str = "Helsinki-NLP/opus_books"
    bytes_before_cut: int | None = None
    cut_once: bool = False
    lacks_bytes: int = 0
    corrupt: bool = False
    ignore_range: bool = False
    statuses: list[int] = field(default_factory=list)
    listing_statuses: list[int] = field(default_factory=list)
    login_page: bool = False
    seconds_per_answer: float = 0.0
    content_requests: list[dict[str, str]] = field(default_factory=list)
    other_requests: list[str] = field(default_factory=list)

    def __enter__(self) -> MisbehavingHub:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ranges(self) -> list[str]:
        """The byte ranges that were asked for, in order."""
        return [headers.get("range", "all").removeprefix("bytes=") for headers in self.content_requests]

    def listing(self) -> dict:
        return {
            "id": self.hub_id,
            "sha": COMMIT,
            "siblings": [{"rfilename": "README.md", "size": 3, "blobId": "0" * 40}]
            + [
                {
                    "rfilename": path,
                    "size": len(content),
                    "blobId": "1" * 40,
                    "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 100},
                }
                for path, content in self.files.items()
            ],
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: MisbehavingHub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one packet: the answers come without delay

    def log_message(self, *_) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, path = self.hub, self.path.split("?")[0]
        if not path.startswith("/content/"):
            hub.other_requests.append(f"{self.command} {path}")
        resolve = f"/datasets/{hub.hub_id}/resolve/main/"
        if hub.login_page:
            self._answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})
        elif path == f"/api/datasets/{hub.hub_id}":
            if hub.listing_statuses:
                self._answer(hub.listing_statuses.pop(0), b"{}")
            else:
                self._answer(200, json.dumps(hub.listing()).encode(), {"Content-Type": "application/json"})
        elif path.startswith(resolve) and path.removeprefix(resolve) in hub.files:
            name = path.removeprefix(resolve)
            content = hub.files[name]
            linked = {
                "Location": f"http://localhost:{hub.port}/content/{name}",
                "X-Repo-Commit": COMMIT,
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Linked-Size": str(len(content)),
            }
            self._answer(302, b"", linked)
        elif path.startswith("/content/"):
            self._send_content(hub.files[path.removeprefix("/content/")])
        else:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _send_content(self, content: bytes) -> None:
        hub = self.hub
        hub.content_requests.append({name.lower(): value for name, value in self.headers.items()})
        time.sleep(hub.seconds_per_answer)
        if hub.statuses:
            return self._answer(hub.statuses.pop(0), b"busy")
        content = content[: len(content) - hub.lacks_bytes]
        if hub.corrupt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        status, headers, body = 200, {}, content
        if (wanted := self.headers.get("Range")) and not hub.ignore_range:
            first, last = wanted.removeprefix("bytes=").split("-")
            body = content[int(first) : int(last) + 1]
            status, headers = 206, {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        sent = len(body) if hub.bytes_before_cut is None else min(len(body), hub.bytes_before_cut)
        if hub.bytes_before_cut is not None:
            hub.bytes_before_cut = None if hub.cut_once and sent < len(body) else hub.bytes_before_cut - sent
        self._answer(status, body[:sent], {**headers, "Content-Length": str(len(body))})
        self.close_connection = self.close_connection or sent < len(body)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
