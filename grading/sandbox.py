"""The outside of the sandbox: starts it, hands it submissions, keeps time, and says what it cannot keep out.

With bubblewrap (`apt install bubblewrap`) a submission has no network, sees a read-only file system that holds Python,
the course's package and nothing of the class, and writes into an empty folder of its own that is thrown away. Without
it the limits on time, memory and output remain; `Sandbox.warning` says so.
"""

import contextlib
import itertools
import json
import os
import secrets
import select
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.project import ROOT

WORKER = Path(__file__).with_name("worker.py")
SHOWN_OUTPUT = 8_000  # characters of a cell's output that are shown
LONGEST_ANSWER = 4_000_000  # bytes of one answer from inside
HOME_INSIDE = "/student"
MATPLOTLIB_INSIDE = "/run/matplotlib"
GRACE_SECONDS = 3.0  # between asking a cell to stop and ending its process
START_SECONDS = 300.0  # importing torch on a busy machine
BASE_MODULES = ["torch", "numpy", "course_utils.exercises"]


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        cell_seconds: processor seconds of one cell, or of one test.
        total_seconds: wall-clock seconds of the whole submission.
        memory_megabytes: private memory of one process, torch's own (about 900 MB) included.
        processes: processes and threads at once, where namespaces work.
        folder_megabytes: size of its folder, and of one file in it.
    """

    cell_seconds: float = 20.0
    total_seconds: float = 600.0
    memory_megabytes: int = 3000
    processes: int = 64
    folder_megabytes: int = 64

    def wait_seconds(self) -> float:
        """Wall-clock seconds of one cell: more, and still more while other programs keep this machine busy."""
        return (4 * self.cell_seconds + 10) * busy()


def busy() -> float:
    """By how much work waits here: 1 while each process has a core, more where they share."""
    try:
        return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    except OSError:  # this system does not say
        return 1.0


class Died(Exception):
    """The submission's process ended, or was ended, before it answered; the message is for the student."""


class TooLong(Died):
    """It was ended because its time was over."""


@dataclass
class Ending:
    """What a submission's process used: peak resident memory and processor time."""

    megabytes: float = 0.0
    processor_seconds: float = 0.0

    def and_then(self, other: "Ending") -> "Ending":
        """What two processes used, one after the other."""
        seconds = self.processor_seconds + other.processor_seconds
        return Ending(max(self.megabytes, other.megabytes), seconds)


class Sandbox:
    """One worker process, shared by all submissions; each submission is a fork of it in namespaces of its own.

    Args:
        modules: imported once, before any fork.
        bubblewrap: path of bwrap; None looks for it; "" does without.
    """

    def __init__(self, modules: list[str], bubblewrap: str | None = None):
        self.bubblewrap = shutil.which("bwrap") if bubblewrap is None else bubblewrap
        self.modules = list(dict.fromkeys(modules))
        self.warning = ""
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._endings: dict[int, Ending] = {}
        self._changed = threading.Condition()

    def __enter__(self) -> "Sandbox":
        self._scratch = tempfile.TemporaryDirectory(prefix="where-to-look-grading-")
        try:
            self._start(self.bubblewrap)
            if self.bubblewrap and not self.namespaces:
                self._process.kill()
                raise RuntimeError("this system does not let a sandboxed process make namespaces of its own")
        except (OSError, RuntimeError) as error:
            self._scratch.cleanup()
            advice = "Start again with --no-bubblewrap to grade without a sandbox." if self.bubblewrap else ""
            raise RuntimeError(f"The process that runs submissions did not start: {error}. {advice}") from error
        self.contained = bool(self.bubblewrap)
        if not self.contained:
            more = "" if self.namespaces else ", reach the network, start any number of processes"
            self.warning = (
                "WARNING: bubblewrap is not used (apt install bubblewrap). Submissions run WITHOUT a sandbox: they can "
                "read every file that you can read, other submissions and the gradebook included, write your files"
                f"{more}. What remains: time, memory, size of files and of output. Grade work you do not trust on a "
                "Linux machine with bubblewrap."
            )
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._scratch.cleanup()

    def _start(self, bubblewrap: str | None) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-u", str(WORKER), str(theirs.fileno())]
        if bubblewrap:
            command = [bubblewrap, *self._mounts(), "--", *command]
        log = Path(self._scratch.name, "worker.log")
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self._environment(bool(bubblewrap)),
                start_new_session=True,
            )
        theirs.close()
        self._control.settimeout(START_SECONDS * busy())
        setup = {"modules": self.modules, "path": [str(ROOT)], "drop_root": bool(bubblewrap)}
        try:
            self._control.send(json.dumps(setup).encode())
            answer = self._control.recv(1 << 16)
        except OSError:
            answer = b""
        if not answer:
            self._process.kill()
            self._process.wait()
            words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise RuntimeError(words[-1] if words else "it ended without a word")
        self._control.settimeout(None)
        self.namespaces = json.loads(answer)["namespaces"]

    def _environment(self, mounted: bool) -> dict[str, str]:
        """Nothing of the instructor's environment but where programs are."""
        fonts, home = self._matplotlib_cache(), HOME_INSIDE if mounted else self._scratch.name
        names = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")
        return {name: os.environ[name] for name in names if name in os.environ} | {
            "HOME": home,
            "TMPDIR": home,
            "MPLBACKEND": "agg",
            "MPLCONFIGDIR": MATPLOTLIB_INSIDE if mounted else fonts,
            "IPYTHONDIR": f"{home}/ipython",
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NBGRADER_EXECUTION": "autograde",
            "WHERE_TO_LOOK_FAST": "1",
        }

    def _matplotlib_cache(self) -> str:
        """A copy of matplotlib's list of fonts, which takes seconds to make."""
        folder = Path(self._scratch.name, "matplotlib")
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        with contextlib.suppress(ImportError, OSError):
            import matplotlib

            for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
                shutil.copy(path, folder)
        return str(folder)

    def _mounts(self) -> list[str]:
        """bubblewrap's options: what the inside sees, all of it read-only."""
        options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        if os.getuid() == 0:
            options += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]  # the worker becomes nobody with them
        else:
            options += ["--unshare-user"]
        options += ["--perms", "0755", "--dir", "/etc"]
        options += ["--die-with-parent", "--new-session", "--hostname", "grading", "--proc", "/proc", "--dev", "/dev"]
        for folder in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
            if os.path.islink(folder):
                options += ["--symlink", os.readlink(folder), folder]
            elif os.path.isdir(folder):
                options += ["--ro-bind", folder, folder]
        for file in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives", "/etc/ssl/certs"):
            options += ["--ro-bind-try", file, file]
        options += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", HOME_INSIDE]
        if not any(place.startswith("/tmp/") for place in self._needed()):
            options += ["--symlink", HOME_INSIDE, "/tmp"]
        places = {place: place for place in self._needed()}
        places[str(Path(self._scratch.name, "matplotlib"))] = MATPLOTLIB_INSIDE
        above = {str(folder) for inside in places.values() for folder in Path(inside).parents} - {"/", "/usr"}
        for folder in sorted(above - {"/etc"}):
            options += ["--perms", "0755", "--dir", folder]
        for place, inside in places.items():
            options += ["--ro-bind", place, inside]
        return [*options, "--remount-ro", "/", "--chdir", HOME_INSIDE]

    def _needed(self) -> list[str]:
        """Python, the installed packages and the course's package; nothing else of the checkout, no test, no answer."""
        python = str(Path(os.path.realpath(sys.executable)).parent.parent)
        places = {sys.prefix, sys.base_prefix, str(Path(sys.prefix).resolve()), *site.getsitepackages(), python}
        ours = ("course_utils", "experiments", "data/checkpoints", "data/results", "pyproject.toml")
        places |= {str(ROOT / name) for name in ours} | {str(WORKER)}
        chosen = [place for place in places if os.path.exists(place) and not f"{place}/".startswith("/usr/")]
        assert ROOT.parent not in map(Path, chosen)
        return sorted(chosen, key=lambda place: (os.path.islink(place), place))  # links last

    def _listen(self) -> None:
        while True:
            data = b""
            with contextlib.suppress(OSError):
                data = self._control.recv(1 << 16)
            if not data:
                return
            message = json.loads(data)
            with self._changed:
                ending = Ending(message.get("megabytes", 0.0), message.get("processor_seconds", 0.0))
                self._endings[message["ended"]] = ending
                self._changed.notify_all()

    def open(self, limits: Limits, hidden_tests: int, deadline: float) -> "Conversation":
        """Start a process for one submission.

        Args:
            limits: what it may use.
            hidden_tests: how many snapshots it will be asked for.
            deadline: value of `time.monotonic()` after which it is ended.
        """
        number = next(self._numbers)
        pairs = [socket.socketpair() for _ in range(1 + hidden_tests)]
        reading, writing = os.pipe()
        home = HOME_INSIDE if self.contained else tempfile.mkdtemp(dir=self._scratch.name)
        wait = limits.wait_seconds()
        message = {"start": number, "limits": asdict(limits) | {"wait_seconds": wait}, "home": home}
        descriptors = [pairs[0][1].fileno(), writing, *(theirs.fileno() for _, theirs in pairs[1:])]
        with self._lock:
            socket.send_fds(self._control, [json.dumps(message).encode()], descriptors)
        for _, theirs in pairs:
            theirs.close()
        os.close(writing)
        return Conversation(self, number, [ours for ours, _ in pairs], reading, limits, wait, deadline)

    def end(self, number: int) -> Ending:
        """End a submission's process with everything it started, and say what it used."""
        with self._changed:
            if number not in self._endings:
                with self._lock:
                    self._control.send(json.dumps({"kill": number}).encode())
                self._changed.wait_for(lambda: number in self._endings, timeout=30)
            return self._endings.pop(number, Ending())


class Conversation:
    """Commands to one submission's process, and its answers. Close it when done."""

    def __init__(
        self, sandbox, number: int, connections: list, output: int, limits: Limits, wait: float, deadline: float
    ):
        self._sandbox, self._number, self._connections = sandbox, number, connections
        self._output, self._limits, self._wait, self._deadline = output, limits, wait, deadline
        os.set_blocking(output, False)
        self.printed, self._shown = 0, bytearray()

    def ask(self, command: dict, hidden: int | None = None) -> tuple[dict, str]:
        """Send a command and wait for its answer.

        Args:
            command: "do" and what belongs to it.
            hidden: the number of the snapshot that is asked; None: the submission's own process.

        Returns:
            The answer, and what was printed meanwhile, shortened.

        Raises:
            Died: no answer came; the message says why.
        """
        connection = self._connections[0 if hidden is None else 1 + hidden]
        nonce = secrets.token_hex(16)
        self.printed, self._shown = 0, bytearray()
        try:
            connection.sendall((json.dumps({**command, "nonce": nonce}) + "\n").encode())
        except OSError:
            raise Died("It ended Python itself before this cell.") from None
        patience = min(time.monotonic() + self._wait + GRACE_SECONDS, self._deadline)
        received = bytearray()
        while True:
            while b"\n" in received:
                line, _, rest = bytes(received).partition(b"\n")
                received = bytearray(rest)
                answer = self._genuine(line, nonce)
                if answer is not None:
                    self._drain()
                    return answer, self._text()
            left = patience - time.monotonic()
            if left <= 0:
                raise TooLong(self._why_too_slow())
            readable, _, _ = select.select([connection, self._output], [], [], left)
            if self._output in readable and not self._drain():
                readable = [connection]
            if connection in readable:
                piece = b""
                with contextlib.suppress(OSError):
                    piece = connection.recv(1 << 16)
                if not piece:
                    raise Died("It ended Python itself (for instance with exit(), or by running out of memory).")
                received += piece
                if len(received) > LONGEST_ANSWER:
                    raise Died("It sent more than an answer can hold.")

    def _why_too_slow(self) -> str:
        if time.monotonic() >= self._deadline:
            return f"The whole notebook took longer than {self._limits.total_seconds:g} s."
        return f"It was stopped, because it took longer than {self._limits.cell_seconds:g} s."

    @staticmethod
    def _genuine(line: bytes, nonce: str) -> dict | None:
        """An answer, if it is one to this command; anything else on the line is not from the course's code."""
        try:
            answer = json.loads(line)
        except ValueError:
            return None
        return answer if isinstance(answer, dict) and answer.get("nonce") == nonce else None

    def _drain(self) -> bool:
        """Read what was printed; False when nobody can print any more."""
        while True:
            try:
                piece = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return True
            if not piece:
                return False
            self.printed += len(piece)
            self._shown += piece[: max(0, SHOWN_OUTPUT - len(self._shown))]
            if self.printed > 64 << 20 and time.monotonic() > self._deadline:
                return True

    def _text(self) -> str:
        text = self._shown.decode("utf-8", errors="replace")
        if self.printed > len(self._shown):
            text += f"\n… {self.printed / 1e6:.1f} MB were printed; the rest is left out."
        return text

    def close(self) -> Ending:
        """End the process with everything it started; returns what it used."""
        ending = self._sandbox.end(self._number)
        for connection in self._connections:
            connection.close()
        os.close(self._output)
        return ending
