"""Files of a public data set on the Hugging Face hub: fetched in blocks, verified, then placed in the hub's own cache.

`huggingface_hub` brings the requests (proxies, tokens, waiting while the hub is busy), the lock between processes and
the layout of the cache. Its own download checks the length of a file but not its content, and begins at zero again
after a failed attempt; the two steps added here are the ones a lesson needs on a shaky line: a partial file is
resumed by the next attempt, and nothing is called by its final name before its checksum is right.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 4 * 2**20  # what a cut connection can lose at most
RETRIES = 5  # per request, after 1, 2, 4, 8 and 8 seconds
RETRIED_STATUSES = (408, 429, 500, 502, 503, 504)


class RealDataError(RuntimeError):
    """Real data could not be had; the message says what was expected and what to do."""


class HubUnreachableError(RealDataError):
    """The hub did not answer: no network, a proxy, or an outage."""


class DownloadError(RealDataError):
    """The hub answered, but the file could not be fetched, verified or stored."""


class RealDataNotFoundError(RealDataError):
    """The data set, its folder or the split does not exist."""


class DataFormatError(RealDataError):
    """A file is there, but it is not the parquet table that the lesson expects."""


@dataclass(frozen=True)
class HubFile:
    """One file of a data set as the hub lists it.

    Args:
        hub_id: Data set on the hub, such as `"Helsinki-NLP/opus_books"`.
        path: Path of the file inside the data set.
        size: Length in bytes.
        checksum: sha256 of the content (64 hex digits) or, for a file outside LFS, its git blob id (40 hex digits).
    """

    hub_id: str
    path: str
    size: int
    checksum: str


def hub_endpoint() -> str:
    """Return the address of the hub; `HF_ENDPOINT` overrides it, also when set after the library was imported."""
    from huggingface_hub import constants

    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or constants.ENDPOINT


def hub_cache() -> Path:
    """Return the hub library's cache folder; `HF_HUB_CACHE` and `HF_HOME` override it at any time."""
    from huggingface_hub import constants

    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    return Path(constants.HF_HUB_CACHE)


def list_hub_files(hub_id: str) -> list[HubFile]:
    """Ask the hub for the parquet files of a data set.

    Raises:
        HubUnreachableError: nothing that speaks the hub's language answered.
        DownloadError: the hub refused.
    """
    url = f"{hub_endpoint()}/api/datasets/{hub_id}"
    response = _get(url, retry_lost_connection=False, params={"blobs": "true"})
    try:
        entries = [entry for entry in response.json()["siblings"] if entry["rfilename"].endswith(".parquet")]
        return [
            HubFile(
                hub_id, entry["rfilename"], entry["size"], (entry.get("lfs") or {}).get("sha256") or entry["blobId"]
            )
            for entry in entries
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise HubUnreachableError(
            f"{url} answered, but not with the file list of a data set: a log-in page of the network or a proxy may "
            f"stand in between. Open that address in a browser to see it."
        ) from error


def cached_files(hub_id: str) -> dict[str, Path]:
    """Return the parquet files of a data set that the hub's cache holds, `{path in the data set: path on disk}`."""
    folder = _cache_folder(hub_id)
    reference = folder / "refs" / "main"
    if not reference.is_file():
        return {}
    snapshot = folder / "snapshots" / reference.read_text().strip()
    paths = [path for path in sorted(snapshot.rglob("*.parquet")) if path.exists()]
    return {path.relative_to(snapshot).as_posix(): path for path in paths}


def remove_if_damaged(path: Path) -> bool:
    """Remove a cached file whose content does not match the checksum in its name; return whether it was damaged.

    A snapshot links to `blobs/<checksum>`; where the system has no links, there is no checksum to compare with.
    """
    if not path.is_symlink():
        return False
    blob = path.parent / os.readlink(path)
    if _has_checksum(blob, blob.name):
        return False
    warnings.warn(f"{path} was damaged (its checksum is wrong) and has been removed from the cache.", stacklevel=2)
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)
    return True


def download(file: HubFile) -> Path:
    """Return the path of a verified copy of `file` in the hub's cache, fetching what is missing of it.

    An interrupted download leaves `blobs/<checksum>.incomplete`, which the next call continues. Two processes that
    want the same file take turns, so it is fetched once.

    Raises:
        HubUnreachableError: the connection could not be made, or was lost for too long.
        DownloadError: the hub refused, the content is not what the hub's list promises, or the disk is full.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils import WeakFileLock

    cache, folder = hub_cache(), _cache_folder(file.hub_id)
    blob = folder / "blobs" / file.checksum
    lock = cache / ".locks" / folder.name / f"{file.checksum}.lock"
    try:
        blob.parent.mkdir(parents=True, exist_ok=True)
        lock.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if not blob.exists() or not _has_checksum(blob, file.checksum):
                _fetch_verified(file, blob)
    except OSError as error:
        raise _storage_error(file, cache, error) from error
    try:  # the content is there: this call only links it into the snapshot and notes the revision
        path = hf_hub_download(file.hub_id, file.path, repo_type="dataset", endpoint=hub_endpoint(), cache_dir=cache)
    except (LocalEntryNotFoundError, HfHubHTTPError) as error:  # both are OSErrors, but not of the disk
        raise _unreachable(hub_endpoint(), error) from error
    except OSError as error:
        raise _storage_error(file, cache, error) from error
    return Path(path)


def _fetch_verified(file: HubFile, blob: Path) -> None:
    """Fetch `file` into `blob`, which gets its name only when size and checksum are right."""
    part = blob.with_name(f"{blob.name}.incomplete")
    resumed = part.exists()  # if that leftover proves damaged or too long, the second round begins at zero
    while True:
        try:
            _append_missing_blocks(file, part)
        except OSError:  # the disk, not the network: give the space back
            part.unlink(missing_ok=True)
            raise
        if _has_checksum(part, file.checksum):
            os.replace(part, blob)
            return
        part.unlink()
        if not resumed:
            break
        resumed = False
    raise DownloadError(
        f"{file.path} of {file.hub_id} arrived with a wrong checksum (expected {file.checksum}); it was removed. "
        f"Try again; if it happens again, a proxy changes what it passes on or the hub's copy is damaged."
    )


def _append_missing_blocks(file: HubFile, part: Path) -> None:
    """Bring `part` to the full size, beginning where it ends, and show the progress."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import tqdm

    url = hf_hub_url(file.hub_id, file.path, repo_type="dataset", endpoint=hub_endpoint())
    with open(part, "ab") as sink:
        missing = file.size - sink.tell()
        if shutil.disk_usage(part.parent).free < missing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with tqdm(total=file.size, initial=sink.tell(), unit="B", unit_scale=True, desc=file.path) as progress:
            while (start := sink.tell()) < file.size:
                block = _get_block(url, start, min(start + BLOCK_BYTES, file.size), file)
                sink.write(block)
                progress.update(len(block))


def _get_block(url: str, start: int, stop: int, file: HubFile) -> bytes:
    """Return bytes `start` to `stop`, or some of them, or all from `start` on where the server knows no ranges."""
    block = _get(url, headers={"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"})
    content = block.content if block.status_code == 206 else block.content[start:]
    expected = stop - start if block.status_code == 206 else file.size - start
    if not 0 < len(content) <= expected:
        raise DownloadError(
            f"{url} sent {len(content)} bytes from byte {start} on where up to {expected} were expected; the file "
            f"has {file.size} bytes. Nothing was stored under its name; try again."
        )
    return content


def _get(url: str, retry_lost_connection: bool = True, headers: dict | None = None, **arguments):
    """GET with the hub library's patience; every failure becomes one of this module's errors."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

    if not retry_lost_connection:
        arguments["retry_on_exceptions"] = ()
    try:
        response = http_backoff(
            "GET",
            url,
            headers={**build_hf_headers(), **(headers or {})},
            timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
            max_retries=RETRIES,
            retry_on_status_codes=RETRIED_STATUSES,
            **arguments,
        )
        hf_raise_for_status(response)
    except HfHubHTTPError as error:
        raise DownloadError(f"the hub refused {url}: {error}") from error
    except Exception as error:  # which library's exception it is depends on the version of huggingface_hub
        raise _unreachable(url, error) from error
    return response


def _cache_folder(hub_id: str) -> Path:
    return hub_cache() / f"datasets--{hub_id.replace('/', '--')}"


def _has_checksum(path: Path, checksum: str) -> bool:
    """Compare with a sha256 or, where the checksum has 40 digits, with a git blob id (sha1 over a header and all)."""
    is_git_id = len(checksum) == 40
    digest = hashlib.sha1(usedforsecurity=False) if is_git_id else hashlib.sha256()
    if is_git_id:
        digest.update(f"blob {path.stat().st_size}\0".encode())
    with open(path, "rb") as content:
        while block := content.read(2**20):
            digest.update(block)
    return digest.hexdigest() == checksum


def _unreachable(url: str, error: Exception) -> HubUnreachableError:
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return HubUnreachableError(f"could not reach the hub: {url} gave no complete answer ({reason})")


def _storage_error(file: HubFile, cache: Path, error: OSError) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        problem = f"the disk is full: {file.path} of {file.hub_id} needs {file.size / 1e6:.1f} MB in {cache}"
        remedy = "Free some space, or set HF_HOME to a folder on a larger disk. No partial file was left."
    else:
        problem = f"cannot store {file.path} of {file.hub_id} in {cache} ({error})"
        remedy = "Set HF_HOME to a folder that you may write to."
    return DownloadError(f"{problem}. {remedy}")
