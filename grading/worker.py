"""The inside of the sandbox: a process that has everything imported and forks once for each submission.

It runs as a plain file, imports nothing of `tools`, and reads no file of the class: cells arrive over a socket, one
at a time, and hidden tests only when the submission's own cells have ended and nothing they print is read any more.

Each submission's process gets its own user, process, network, IPC and mount namespace where the kernel allows it, an
empty folder of limited size, and limits on memory, processes, files and time. The other end is `sandbox.py`.
"""

import ast
import builtins
import contextlib
import ctypes
import importlib
import json
import os
import pkgutil
import resource
import select
import signal
import socket
import sys
import types

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (1 << bit for bit in (17, 27, 28, 29, 30))
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 0x4000, 1 << 18
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
CAPABILITIES_VERSION_3 = 0x20080522
NOBODY = 65534
EXERCISES = "course_utils.exercises.lesson_"
# Names of errors that may be told about a hidden test: a name of the submission's own making could carry the test out.
TOLD_ERRORS = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type))
libc = ctypes.CDLL(None, use_errno=True)


class TooSlow(BaseException):
    """Raised in a submission's own code when a cell's time is over; `except Exception` does not catch it."""


# ---------------------------------------------------------------- the process that forks


def serve(control: socket.socket) -> None:
    """Import everything, then fork for each request until the other end closes."""
    setup = json.loads(control.recv(1 << 20))
    if setup["drop_root"] and os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else root owns /proc/self, and no namespace can be set up
    sys.path[:0] = setup["path"]
    _prepare_imports(setup["modules"])
    control.send(json.dumps({"ready": True, "namespaces": _probe_namespaces(), "user": os.getuid()}).encode())
    running: dict[int, tuple[int, int]] = {}  # pipe of a submission's supervisor -> (its number, process to kill)
    while True:
        readable, _, _ = select.select([control, *running], [], [])
        for pipe in [item for item in readable if item is not control]:
            number, _ = running.pop(pipe)
            ended = os.read(pipe, 4096)
            os.close(pipe)
            os.waitpid(-1, os.WNOHANG)
            control.send(json.dumps({"ended": number, **json.loads(ended or b"{}")}).encode())
        if control in readable:
            data, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 200)
            if not data:
                break
            message = json.loads(data)
            if "kill" in message:
                for number, process in running.values():
                    if number == message["kill"] and process > 0:
                        with contextlib.suppress(ProcessLookupError):  # it has ended; its supervisor says so next
                            os.kill(process, signal.SIGKILL)
                continue
            pipe, process = _start(control, list(running), message, descriptors)
            running[pipe] = (message["start"], process)
            for descriptor in descriptors:
                os.close(descriptor)


def _prepare_imports(modules: list[str]) -> None:
    for name in modules:
        module = importlib.import_module(name)
        if name.startswith(EXERCISES):  # a lesson's folder: every module in it
            for inner in pkgutil.iter_modules(module.__path__, f"{name}."):
                importlib.import_module(inner.name)
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False
    InteractiveShell.instance()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _probe_namespaces() -> bool:
    """Whether a forked process may have namespaces of its own here."""
    child = os.fork()
    if child == 0:
        os._exit(_enter_namespaces())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _enter_namespaces() -> int:
    """Give this process (of one thread) its own namespaces; 0 if it worked."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET):
        return ctypes.get_errno() or 1
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    except OSError as error:
        return error.errno or 1
    return 0


def _start(control: socket.socket, pipes: list[int], message: dict, descriptors: list[int]) -> tuple[int, int]:
    """Fork a supervisor, which forks the submission's process and waits for it.

    Returns:
        A pipe that tells how it ended, and the process to kill.
    """
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            control.close()
            for pipe in [*pipes, reading]:
                os.close(pipe)
            isolated = _enter_namespaces() == 0
            process = os.fork()
            if process == 0:
                os.close(writing)
                _be_the_submission(message, descriptors, isolated)
            os.write(writing, f"{process}\n".encode())
            for descriptor in descriptors:
                os.close(descriptor)
            _, status, usage = os.wait4(process, 0)
            ended = {"status": os.waitstatus_to_exitcode(status), "megabytes": usage.ru_maxrss / 1024}
            os.write(writing, json.dumps(ended | {"processor_seconds": usage.ru_utime + usage.ru_stime}).encode())
        finally:
            os._exit(0)
    os.close(writing)
    number = b""
    while not number.endswith(b"\n"):
        piece = os.read(reading, 1)
        if not piece:  # the supervisor could not fork; what it tells next says that nothing ran
            break
        number += piece
    return reading, int(number or 0)


# ---------------------------------------------------------------- the submission's process


def _be_the_submission(message: dict, descriptors: list[int], isolated: bool) -> None:
    """Close everything off, then run what arrives. Never returns."""
    try:
        commands, output, *hidden = descriptors
        limits = message["limits"]
        home = message["home"]
        if isolated:
            _close_off(home, limits)
        os.chdir(home)
        os.environ.update(HOME=home, TMPDIR=home)
        _limit(limits, isolated)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        Submission(socket.socket(fileno=commands), hidden, limits).run()
    except BaseException as error:  # whatever it is, the other end has to hear of a death
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(1)


def _close_off(home: str, limits: dict) -> None:
    """An empty folder of its own and /dev/shm, no sight of other processes, no capabilities."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE, None)
    flags = MS_NOSUID | MS_NODEV
    _mount("tmpfs", home, "tmpfs", flags, f"size={limits['folder_megabytes']}m")
    if os.path.isdir("/dev/shm"):
        _mount("tmpfs", "/dev/shm", "tmpfs", flags, "size=16m")
    try:
        _mount("proc", "/proc", "proc", flags, None)
    except OSError:
        _mount("tmpfs", "/proc", "tmpfs", flags, "size=4k")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION_3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "the capabilities could not be given up")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    if libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]):
        raise OSError(ctypes.get_errno(), f"{target} could not be mounted")


def _limit(limits: dict, isolated: bool) -> None:
    megabyte = 1 << 20
    chosen = {
        resource.RLIMIT_DATA: limits["memory_megabytes"] * megabyte,
        resource.RLIMIT_FSIZE: limits["folder_megabytes"] * megabyte,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    if isolated:  # counted within its own user namespace; without one, every process of this user would count
        chosen[resource.RLIMIT_NPROC] = limits["processes"]
    for kind, value in chosen.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing too much raises OSError


class Submission:
    """Runs a submission's cells and the tests of them as they arrive."""

    def __init__(self, commands: socket.socket, hidden: list[int], limits: dict):
        from IPython.core.interactiveshell import InteractiveShell

        self.commands, self.hidden = commands, hidden
        self.cell_seconds, self.wait_seconds = limits["cell_seconds"], limits["wait_seconds"]
        self.lines = commands.makefile("r", encoding="utf-8")
        self.shell = InteractiveShell.instance()
        self.shell.colors = "nocolor"
        self.shell.showtraceback = self.shell.showsyntaxerror = lambda *args, **kwargs: None
        self.shell.enable_gui = lambda *args, **kwargs: None
        self.answers = self.shell.user_ns
        self.course: dict = {}  # what the lesson's settings cell defines, for the tests
        self.watch = Watch()
        signal.signal(signal.SIGALRM, self._too_slow)
        signal.signal(signal.SIGPROF, self._too_slow)

    def run(self) -> None:
        """Answer each command; end with the connection."""
        for line in self.lines:
            command = json.loads(line)
            match command["do"]:
                case "snapshot":
                    answer = self._snapshot(command["index"])
                case "settings":
                    answer = self._settings(command["source"])
                case "cell":
                    answer = self._cell(command["source"])
                case _:
                    answer = self._test(command)
            sys.stdout.flush()
            sys.stderr.flush()
            _send(self.commands, {"nonce": command["nonce"], **answer})

    def _settings(self, source: str) -> dict:
        """The course's own settings cell: the tests see its names whatever the submission does to them."""
        found, own = self._cell(source), ("In", "Out", "get_ipython", "exit", "quit", "open")
        self.course = {
            name: value for name, value in self.answers.items() if not name.startswith("_") and name not in own
        }
        return found

    def _cell(self, source: str) -> dict:
        problem = None
        try:
            self._watch_time(True)
            result = self.shell.run_cell(source, store_history=False)
            problem = result.error_before_exec or result.error_in_exec
        except BaseException as error:
            problem = error
        finally:
            self._watch_time(False)
        return {} if problem is None else {"error": _describe(problem)}

    def _snapshot(self, index: int) -> dict:
        """Leave a copy of this process, as it is now, for one hidden test."""
        sys.stdout.flush()
        if os.fork():
            os.close(self.hidden[index])
            return {}
        try:
            self.commands.close()
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            connection = socket.socket(fileno=self.hidden[index])
            command = json.loads(connection.makefile("r", encoding="utf-8").readline())
            found = self._test(command)
            if "error" in found:
                kind = found["error"]["kind"]
                found["error"] = {"kind": kind if kind in TOLD_ERRORS or kind == "TooSlow" else "error"}
            _send(connection, {"nonce": command["nonce"], **found})
        finally:
            os._exit(0)

    def _test(self, command: dict) -> dict:
        """Run a test with the course's own names, and the submission's where the course has none."""
        replaced = self.watch.restore()
        names = dict(self.course)
        tree = ast.parse(command["source"])
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id not in names and node.id in self.answers:
                names[node.id] = self.answers[node.id]
        checks: list[dict] = []
        names["check"] = lambda exercise_id, answer: checks.append(self.watch.examine(exercise_id, answer, command))
        found: dict = {"replaced": replaced, "checks": checks}
        try:
            self._watch_time(True)
            exec(compile(tree, "<test>", "exec"), names)
        except BaseException as error:
            found["error"] = _describe(error)
        finally:
            self._watch_time(False)
        return found

    def _watch_time(self, on: bool) -> None:
        """Count processor time, so that a busy machine changes no grade; a cell that only waits gets some more."""
        signal.setitimer(signal.ITIMER_PROF, self.cell_seconds if on else 0)
        signal.setitimer(signal.ITIMER_REAL, self.wait_seconds if on else 0)

    def _too_slow(self, *_: object) -> None:
        raise TooSlow(f"it took longer than {self.cell_seconds:g} s")


class Watch:
    """Remembers the functions that tests rely on, and puts them back if a submission replaced them."""

    def __init__(self):
        names = [name for name in sys.modules if name.startswith("course_utils") or name in ("builtins", "math")]
        names += [name for name in ("torch", "torch.nn", "torch.nn.functional", "numpy") if name in sys.modules]
        self.modules = {name: sys.modules[name] for name in names}
        owners: list = [(name, module) for name, module in self.modules.items()]
        for name, module in list(self.modules.items()):
            for item, value in list(vars(module).items()):
                ours = name.startswith("course_utils.exercises") and getattr(value, "__module__", "") == name
                if isinstance(value, type) and (ours or (name, item) == ("torch", "Tensor")):
                    owners.append((f"{name}.{item}", value))
        self.originals = [(name, owner, self._functions(owner)) for name, owner in owners]
        self.exercises: dict = {}
        for name, module in self.modules.items():
            for exercise in vars(module).values() if name.startswith(EXERCISES) else ():
                if type(exercise).__name__ == "Exercise":
                    self.exercises[exercise.exercise_id] = (exercise, _attributes(exercise))

    @staticmethod
    def _functions(owner: object) -> dict:
        kinds = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type, staticmethod, classmethod)
        kinds += (types.MethodDescriptorType, types.WrapperDescriptorType)
        return {
            name: (value, getattr(value, "__code__", None))
            for name, value in vars(owner).items()
            if isinstance(value, kinds) and name not in ("__loader__", "__spec__")
        }

    def restore(self) -> list[str]:
        """Put back what was replaced, and name it."""
        replaced = []
        for name, module in self.modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                replaced.append(name)
        for owner_name, owner, functions in self.originals:
            current = vars(owner)
            for name, (value, code) in functions.items():
                if current.get(name) is not value:
                    setattr(owner, name, value)
                    replaced.append(f"{owner_name}.{name}")
                if code is not None and value.__code__ is not code:
                    value.__code__ = code
                    replaced.append(f"{owner_name}.{name}")
        for exercise, attributes in self.exercises.values():
            exercise.forget()
            now = _attributes(exercise)
            if not all(_identical(now.get(key), value) for key, value in attributes.items()):
                vars(exercise).update(attributes)
                replaced.append(f"the check of {exercise.exercise_id}")
        return replaced

    def examine(self, exercise_id: str, answer: object, command: dict) -> dict:
        """What `check` finds out, case by case."""
        exercise, _ = self.exercises[exercise_id]
        found = {"exercise": exercise_id, "title": exercise.title, "attempted": True, "findings": []}
        try:
            findings = exercise.examine(answer, variant=command.get("variant"))
            found["findings"] = [[item.case, item.hint] for item in findings]
        except NotImplementedError:
            found["attempted"] = False
        return found


def _attributes(exercise: object) -> dict:
    """What an exercise consists of, in lists of its own."""
    listed = {key: value for key, value in vars(exercise).items() if not key.startswith("_")}
    return {key: [*value] if isinstance(value, list) else value for key, value in listed.items()}


def _identical(now: object, then: object) -> bool:
    """Say whether two attributes are the same objects, whatever they are equal to."""
    if isinstance(now, list) and isinstance(then, list):
        return len(now) == len(then) and all(a is b for a, b in zip(now, then, strict=True))
    return now is then


def _describe(error: BaseException) -> dict:
    """The error's kind and message and, where it can be known, the line of the cell."""
    line, frame = None, error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if file.startswith("/tmp/ipykernel") or "ipython-input" in file:
            line = frame.tb_lineno
        frame = frame.tb_next
    if isinstance(error, SyntaxError):
        line = error.lineno
    try:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # its own __str__ may be broken
        message = ""
    return {"kind": type(error).__name__, "message": message[:500], "line": line}


def _send(connection: socket.socket, message: dict) -> None:
    connection.sendall((json.dumps(message) + "\n").encode("utf-8"))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("NBGRADER_EXECUTION", "autograde")
    serve(socket.socket(fileno=int(sys.argv[1])))
