"""Errors of real data: one per kind of failure, each with a way out.

The libraries that fetch and read real data have errors of their own, which name an address and a line of their code.
`explain` turns them into one of the errors below, which says what to do.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

STAGED_FOLDER_VARIABLE = "WHERE_TO_LOOK_DATA"


class RealDataError(RuntimeError):
    """Real data could not be had; the message says what was expected and what to do."""


class HubUnreachableError(RealDataError):
    """The place the data come from did not answer: no network, a proxy, a log-in page, or an outage."""


class DownloadError(RealDataError):
    """The place answered, but the file could not be fetched, verified or stored."""


class RealDataNotFoundError(RealDataError):
    """The data set, its folder or the split does not exist."""


class DataFormatError(RealDataError):
    """A file is there, but it is not the table that the lesson expects."""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_ENTRY = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_STATUS = re.compile(r"(?:HTTP Error|failed:|error) '?([45]\d\d)\b")
_DAMAGED = (  # by name, so that no library is imported to look for its errors
    "ArrowInvalid", "ArrowException", "ArrowNotImplementedError", "BadGzipFile", "CastError", "DatasetGenerationError",
    "EOFError", "UnicodeDecodeError", "error",
)  # fmt: skip
_NO_NETWORK = (
    "ConnectError", "ConnectionError", "ConnectionRefusedError", "LocalEntryNotFoundError", "OfflineModeIsEnabled",
    "NetworkError", "TimeoutError", "TimeoutException", "TransportError", "URLError",
)  # fmt: skip


def refuse_offline(name: str, where: str) -> None:
    """Heed the hub library's setting `HF_HUB_OFFLINE` where another library would fetch something, too.

    Raises:
        HubUnreachableError: it is set.
    """
    from huggingface_hub import constants, errors

    if constants.HF_HUB_OFFLINE:
        with explained(name, where):
            raise errors.OfflineModeIsEnabled("HF_HUB_OFFLINE is set")


@contextmanager
def explained(name: str, where: str) -> Iterator[None]:
    """Turn the errors of libraries inside the block into a `RealDataError` about a set.

    Args:
        name: of the set.
        where: the place it comes from, for the message, such as `"the hub (stanfordnlp/snli)"`.

    Raises:
        RealDataError: in place of every error that `explain` knows; others pass unchanged.
    """
    try:
        yield
    except RealDataError:
        raise
    except Exception as error:
        told = explain(error, name, where)
        if told is None:
            raise
        raise told from error


def explain(error: BaseException, name: str, where: str) -> RealDataError | None:
    """Say what an error of a library means for a reader and what to do; None where it is another kind of error."""
    chain = list(_chain(error))
    kinds = {kind.__name__ for one in chain for kind in type(one).__mro__}
    text = " ".join(str(one) for one in chain)
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    status = next((found for one in chain if (found := _status(one))), None)
    number = next((one.errno for one in chain if getattr(one, "errno", None) in (*_NO_ROOM, *_NO_ENTRY)), None)
    otherwise = f"Otherwise set {STAGED_FOLDER_VARIABLE} to a folder that holds {name}/, or keep SOURCE = 'default'."
    if number in _NO_ROOM:
        return DownloadError(
            f"the disk is full: {name} does not fit. Free some space, or set HF_HOME and WHERE_TO_LOOK_CACHE to "
            f"folders on a larger disk. {otherwise}"
        )
    if status == 407 or "ProxyError" in kinds:
        return HubUnreachableError(
            f"the proxy of this network does not let {name} through ({reason}). Set HTTPS_PROXY to "
            f"http://user:password@host:port as your network's administrator says. {otherwise}"
        )
    if status in (401, 403):
        return DownloadError(
            f"{where} refused {name} ({status}): it wants a token, its terms have to be accepted on its page, or it "
            f"was renamed. Log in with `hf auth login`, or set HF_TOKEN to your token. {otherwise}"
        )
    if status == 429:
        return DownloadError(
            f"{where} answers that there were too many requests (429), also from others of your network. Wait some "
            f"minutes and try again; with a token (`hf auth login`) the limit is higher. {otherwise}"
        )
    if status and status >= 500:
        return HubUnreachableError(f"{where} has an outage ({status}). Try again later. {otherwise}")
    if status:
        return DownloadError(f"{where} refused {name} ({status}): it may have been removed. {otherwise}")
    if "invalid hash value" in text or "not found or corrupted" in text:
        return DownloadError(
            f"{name} arrived damaged from {where}: its checksum is not the one expected, and nothing was stored. Try "
            f"again; if it happens again, a proxy changes what it passes on. {otherwise}"
        )
    if kinds & {"FileMetadataError", "JSONDecodeError"}:
        return HubUnreachableError(
            f"{where} answered with something else than {name}: a log-in page of the network or a proxy may stand in "
            f"between. Open any page in a browser to see it, log in, and try again. {otherwise}"
        )
    if number in _NO_ENTRY:
        return DownloadError(
            f"{name} cannot be stored ({reason}). Set HF_HOME and WHERE_TO_LOOK_CACHE to folders that you may write "
            f"to. {otherwise}"
        )
    if kinds & set(_NO_NETWORK) or "Error downloading" in text:
        return HubUnreachableError(
            f"could not reach {where} ({reason}). {name} needs the network once: try again with one. {otherwise}"
        )
    if kinds & set(_DAMAGED):
        return DataFormatError(f"{name} from {where} cannot be read ({reason}). Copy or download it again.")
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and what was being handled when it was raised, each once."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None)]


def _status(error: BaseException) -> int | None:
    """The code with which a server refused, if this error is about one."""
    told = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "code", None)
    if isinstance(told, int):
        return told
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None
