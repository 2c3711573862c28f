"""Errors of real data: one per kind of failure, each with a way out.

The libraries that fetch and read real data have errors of their own, which name an address and a line of their code.
`explained` turns them into one of the errors below, which says what to do.
"""

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


_MEANINGS: tuple[tuple[tuple[str | int, ...], type[RealDataError], str], ...] = (
    ((errno.ENOSPC, errno.EDQUOT), DownloadError,
     "the disk is full: {name} does not fit. Free some space, or set HF_HOME and WHERE_TO_LOOK_CACHE to folders on a "
     "larger disk."),
    ((407, "ProxyError"), HubUnreachableError,
     "the proxy of this network does not let {name} through ({reason}). Set HTTPS_PROXY to "
     "http://user:password@host:port as your network's administrator says."),
    ((401, 403), DownloadError,
     "{where} refused {name} ({status}): it wants a token, its terms have to be accepted on its page, or it was "
     "renamed. Log in with `hf auth login`, or set HF_TOKEN to your token."),
    ((429,), DownloadError,
     "{where} answers that there were too many requests (429), also from others of your network. Wait some minutes and "
     "try again; with a token (`hf auth login`) the limit is higher."),
    (tuple(range(500, 600)), HubUnreachableError, "{where} has an outage ({status}). Try again later."),
    (tuple(range(400, 500)), DownloadError, "{where} refused {name} ({status}): it may have been removed."),
    (("invalid hash value", "not found or corrupted"), DownloadError,
     "{name} arrived damaged from {where}: its checksum is not the one expected, and nothing was stored. Try again; if "
     "it happens again, a proxy changes what it passes on."),
    (("FileMetadataError", "JSONDecodeError"), HubUnreachableError,
     "{where} answered with something else than {name}: a log-in page of the network or a proxy may stand in between. "
     "Open any page in a browser to see it, log in, and try again."),
    ((errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST), DownloadError,
     "{name} cannot be stored ({reason}). Set HF_HOME and WHERE_TO_LOOK_CACHE to folders that you may write to."),
    (("ConnectError", "ConnectionError", "LocalEntryNotFoundError", "OfflineModeIsEnabled", "NetworkError",
      "TimeoutError", "TimeoutException", "TransportError", "URLError", "Error downloading", "Dataset not found"),
     HubUnreachableError,
     "could not reach {where} ({reason}). {name} needs the network once: try again with one, and without "
     "HF_HUB_OFFLINE."),
    (("ArrowException", "CastError", "DatasetGenerationError", "EOFError", "OSError", "UnicodeDecodeError", "error"),
     DataFormatError,
     "{name} from {where} cannot be read ({reason}). Copy or download it again."),
)  # fmt: skip
"""What an error is known by (number of the system, status of the server, class, words of the message), and what it
means; the first that fits. Classes are named (zlib's is "error"), so that no library is imported to look for them."""


@contextmanager
def explained(name: str, where: str) -> Iterator[None]:
    """Turn the errors of libraries inside the block into a `RealDataError` about a set.

    Args:
        name: of the set.
        where: the place it comes from, for the message, such as `"the hub (stanfordnlp/snli)"`.

    Raises:
        RealDataError: in place of every error that has a known meaning; others pass unchanged.
    """
    try:
        yield
    except RealDataError:
        raise
    except Exception as error:
        if told := _meaning(error, name, where):
            raise told from error
        raise


def _meaning(error: Exception, name: str, where: str) -> RealDataError | None:
    """What an error of a library means for a reader and what to do; None where it is another kind of error."""
    chain = list(_chain(error))
    status = next((found for one in chain if (found := _status(one))), None)
    kinds = {kind.__name__ for one in chain for kind in type(one).__mro__}
    signs = {status, *kinds, *(getattr(one, "errno", None) for one in chain)}
    text = " ".join(map(str, chain))
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    for known_by, kind, meaning in _MEANINGS:
        if any(sign in signs or (" " in str(sign) and sign in text) for sign in known_by):
            told = meaning.format(name=name, where=where, reason=reason, status=status)
            folder = f"set {STAGED_FOLDER_VARIABLE} to a folder that holds {name}/, or keep SOURCE = 'default'"
            return kind(told if kind is DataFormatError else f"{told} Otherwise {folder}.")
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
    found = re.search(r"(?:HTTP Error|failed:|error) '?([45]\d\d)\b", str(error))
    return int(found[1]) if found else None
