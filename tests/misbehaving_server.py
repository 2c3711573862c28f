"""A hub on this machine for the tests: it answers the requests of the library `datasets`, and fails when told to."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from dataclasses import dataclass, field

COMMIT = "c0ffee" * 6 + "abcd"


@dataclass
class MisbehavingHub:
    """Data sets, and files at public addresses, on 127.0.0.1.

    Args:
        files: Content of each file by its path: `"stanfordnlp/snli/plain_text/test.parquet"` of a data set, which the
            hub lists too, or `"public/train.en.gz"`, which can only be fetched.
        status: Answer every request with this error code; None = do not.
        content_status: The same for data files only, so that the list of files still comes.
        login_page: Answer every request with a page of HTML, as a captive portal does.
        corrupt: Flip a bit in the middle of every data file.
        cut: Send only the first half of every data file, then close the connection.
        requests: Method and path of every request so far.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    content_status: int | None = None
    login_page: bool = False
    corrupt: bool = False
    cut: bool = False
    requests: list[str] = field(default_factory=list)

    def behave(self) -> None:
        """Forget all files, faults and requests."""
        self.__init__()

    def __enter__(self) -> MisbehavingHub:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """The address to give as `HF_ENDPOINT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: MisbehavingHub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one packet: the answers come without delay

    def log_message(self, *_) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def do_GET(self) -> None:
        hub, path = self.hub, self.path.split("?")[0].replace("%2F", "/")
        hub.requests.append(f"{self.command} {path}")
        parts = path.strip("/").split("/")
        if hub.status:
            self._answer(hub.status, b"{}")
        elif hub.login_page:
            self._answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})
        elif parts[0] == "public" and "/".join(parts) in hub.files:
            self._send_file(hub.files["/".join(parts)])
        elif parts[:2] == ["api", "datasets"]:
            self._describe("/".join(parts[2:4]), parts[4:])
        elif parts[0] == "datasets" and parts[3] == "resolve" and self._is_known("/".join(parts[1:3])):
            name = "/".join([*parts[1:3], *parts[5:]])
            commit = parts[4] if len(parts[4]) == len(COMMIT) else COMMIT
            if name in hub.files:
                self._send_file(hub.files[name], commit)
            else:
                self._answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        else:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _is_known(self, hub_id: str) -> bool:
        return any(name.startswith(f"{hub_id}/") for name in self.hub.files)

    def _describe(self, hub_id: str, rest: list[str]) -> None:
        """Answer what a data set is, or what a folder of it holds."""
        inside = [name.removeprefix(f"{hub_id}/") for name in self.hub.files if name.startswith(f"{hub_id}/")]
        if not inside:
            return self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if rest[:1] != ["tree"]:
            return self._json({"id": hub_id, "sha": COMMIT, "siblings": [{"rfilename": name} for name in inside]})
        folder = "".join(f"{part}/" for part in rest[2:])
        below = {name: f"{hub_id}/{name}" for name in inside if name.startswith(folder)}
        if not below:
            return self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        folders = {folder + name.removeprefix(folder).split("/")[0] for name in below} - set(below)
        everything = "recursive=true" in self.path.lower()
        files = [name for name in below if everything or "/" not in name.removeprefix(folder)]
        entries = [{"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in sorted(folders)]
        sizes = {name: len(self.hub.files[below[name]]) for name in files}
        self._json(entries + [{"type": "file", "path": name, "oid": "1" * 40, "size": sizes[name]} for name in files])

    def _json(self, content: object) -> None:
        self._answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send_file(self, content: bytes, commit: str = COMMIT) -> None:
        hub = self.hub
        if hub.content_status:
            return self._answer(hub.content_status, b"")
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        if hub.corrupt:
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        headers["Content-Length"] = str(len(content))
        self._answer(200, content[: len(content) // 2] if hub.cut else content, headers)
        self.close_connection = self.close_connection or hub.cut

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
