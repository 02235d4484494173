"""Runs a command under the restrictions of a systemd unit, without systemd.

    run_unit.py UNIT STATE_DIR [--keep PATH]... -- COMMAND [ARGUMENT]...

Reads the directives from the unit's file and applies them to this process, which then becomes COMMAND: seccomp filters made
by libseccomp, capabilities, limits, and, for root, a mount namespace. STATE_DIR stands for StateDirectory. Each --keep PATH
stays visible and read-only: what the command itself is made of. A hardening directive that is not known here is an error, so
that nobody adds one to the unit which the tests do not apply. What this machine does not let us apply is said on standard
error in one line that begins with "not applied:".
"""
import ctypes
import ctypes.util
import os
import resource
import subprocess
import sys

# Directives that say how the service is started, or that need systemd itself; nothing here restricts the program.
STARTING = {
    "Type", "NotifyAccess", "ExecStart", "ExecStop", "ExecReload", "Restart", "RestartSec", "WatchdogSec",
    "TimeoutStartSec", "TimeoutStopSec", "KillMode", "RemainAfterExit", "ConfigurationDirectory", "StateDirectoryMode", "CacheDirectoryMode",
    "SupplementaryGroups", "RemoveIPC", "ProtectHostname", "ProtectClock", "DevicePolicy", "DynamicUser",
}
NR_FAMILIES = 46
CLONE_NEW = 0x7E020000 | 0x80
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
ALLOW, LOG = 0x7FFF0000, 0x7FFC0000
NE, LT, LE, EQ, GE, GT, MASKED_EQ = range(1, 8)


def errno_action(number):
    return 0x00050000 | number


def directives(path):
    """Every key of [Service] with its values; an empty value clears what was before it."""
    found, section = {}, ""
    for line in open(path):
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and line[0] not in "#;":
            key, value = line.split("=", 1)
            found.setdefault(key.strip(), []).append(value.strip())
    return found


class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


class Filter:
    """A seccomp filter; the kernel obeys the strictest of all that are loaded."""

    def __init__(self, lib, default):
        self.lib = lib
        lib.seccomp_init.restype = ctypes.c_void_p
        self.ctx = ctypes.c_void_p(lib.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action, name, *compares):
        number = self.lib.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not on this architecture
            return
        array = (Compare * max(1, len(compares)))(*[Compare(*(list(c) + [0])[:4]) for c in compares])
        code = self.lib.seccomp_rule_add_array(self.ctx, ctypes.c_uint32(action), number, len(compares), array)
        if code not in (0, -17):  # EEXIST
            raise OSError(-code, f"seccomp rule for {name}")

    def load(self):
        code = self.lib.seccomp_load(self.ctx)
        if code != 0:
            raise OSError(-code, "seccomp_load")


def group(name):
    """System calls of a group, as the installed systemd knows it."""
    text = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True
    ).stdout
    calls = set()
    for line in text.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            calls |= group(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def expanded(words):
    return set().union(*[group(w) if w.startswith("@") else {w.split(":")[0]} for w in words])


def yes(unit, key):
    value = unit.pop(key, ["no"])[-1]
    return value in ("yes", "true", "on", "1")


def seccomp(unit, lib):
    """The filters, the list of allowed system calls first. Making them needs more than they allow."""
    filters = []

    def more():
        filters.append(Filter(lib, ALLOW))
        return filters[-1]

    answer = unit.pop("SystemCallErrorNumber", ["EPERM"])[-1]
    assert answer == "EPERM", answer
    allowed = None
    for value in unit.pop("SystemCallFilter", []):
        words = value.lstrip("~").split()
        if value.startswith("~"):
            allowed = (allowed or set()) - expanded(words)
        else:
            allowed = (allowed or group("@default")) | expanded(words)
    if allowed is not None:
        listed = Filter(lib, errno_action(EPERM))
        for call in allowed | group("@default"):
            listed.rule(ALLOW, call)
        filters.append(listed)

    families = unit.pop("RestrictAddressFamilies", None)
    if families is not None:
        import socket
        words = " ".join(families).split()
        assert not any(w.startswith("~") for w in words), "a list of what is forbidden is not known here"
        known = {int(getattr(socket, w)) for w in words if w != "none"}
        made = more()
        for call in ("socket", "socketpair"):
            for family in range(NR_FAMILIES):
                if family not in known:
                    made.rule(errno_action(EAFNOSUPPORT), call, (0, EQ, family))
            made.rule(errno_action(EAFNOSUPPORT), call, (0, GE, NR_FAMILIES))

    if yes(unit, "RestrictNamespaces"):
        made = more()
        made.rule(errno_action(ENOSYS), "clone3")
        made.rule(errno_action(EPERM), "setns")
        for bit in range(32):
            if CLONE_NEW & (1 << bit):
                for call in ("clone", "unshare"):
                    made.rule(errno_action(EPERM), call, (0, MASKED_EQ, 1 << bit, 1 << bit))

    if yes(unit, "MemoryDenyWriteExecute"):
        made = more()
        made.rule(errno_action(EPERM), "mmap", (2, MASKED_EQ, 6, 6))
        for call in ("mprotect", "pkey_mprotect"):
            made.rule(errno_action(EPERM), call, (2, MASKED_EQ, 4, 4))

    if yes(unit, "RestrictRealtime"):
        made = more()
        for policy in range(1, 8):
            if policy not in (3, 5):  # SCHED_BATCH, SCHED_IDLE
                made.rule(errno_action(EPERM), "sched_setscheduler", (1, EQ, policy))

    if yes(unit, "RestrictSUIDSGID"):
        made = more()
        for call, argument in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2)):
            for bit in (0o4000, 0o2000):
                made.rule(errno_action(EPERM), call, (argument, MASKED_EQ, bit, bit))
        for call, flags, mode in (("open", 1, 2), ("openat", 2, 3)):
            for bit in (0o4000, 0o2000):
                made.rule(errno_action(EPERM), call, (flags, MASKED_EQ, 0o100, 0o100), (mode, MASKED_EQ, bit, bit))

    if yes(unit, "LockPersonality"):
        made = more()
        made.rule(errno_action(EPERM), "personality", (0, NE, 0))

    if yes(unit, "ProtectKernelModules"):
        made = more()
        for call in group("@module"):
            made.rule(errno_action(EPERM), call)
    if yes(unit, "ProtectKernelLogs"):
        more().rule(errno_action(EPERM), "syslog")
    assert unit.pop("SystemCallArchitectures", ["native"])[-1] == "native"  # libseccomp refuses others by itself
    return filters


def quietly(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def mounts(unit, state, keep, libc):
    """What ProtectSystem, ProtectHome, PrivateTmp and the folders of the unit make of the file system. For root alone."""
    strict = unit.pop("ProtectSystem", ["no"])[-1]
    assert strict in ("no", "strict"), strict
    home, tmp = yes(unit, "ProtectHome"), yes(unit, "PrivateTmp")
    kernel, groups, devices = yes(unit, "ProtectKernelTunables"), yes(unit, "ProtectControlGroups"), yes(unit, "PrivateDevices")
    writable = [state]
    if os.geteuid() != 0 or libc.unshare(0x00020000) != 0:
        print("not applied: folders, which takes root and mount namespaces", file=sys.stderr)
        return
    quietly("mount", "--make-rprivate", "/")
    # What is kept may lie in a folder that is hidden: it is held at another place meanwhile.
    hold = "/mnt"
    quietly("mount", "-t", "tmpfs", "tmpfs", hold)
    held = []
    for number, path in enumerate([state, *keep]):
        at = f"{hold}/{number}"
        os.mkdir(at) if os.path.isdir(path) else open(at, "w").close()
        quietly("mount", "--rbind", path, at)
        held.append((path, at, path in writable))
    if home:
        for path in ("/home", "/root"):
            if os.path.isdir(path):
                quietly("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path)
    if tmp:
        for path in ("/tmp", "/var/tmp"):
            quietly("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", path)
    if devices:
        devs = ("null", "zero", "full", "random", "urandom", "tty")
        quietly("mkdir", f"{hold}/dev")
        quietly("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{hold}/dev")
        for name in devs:
            open(f"{hold}/dev/{name}", "w").close()
            quietly("mount", "--bind", f"/dev/{name}", f"{hold}/dev/{name}")
        os.mkdir(f"{hold}/dev/shm")
        quietly("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{hold}/dev/shm")
        for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
            os.symlink(target, f"{hold}/dev/{name}")
        quietly("mount", "--rbind", f"{hold}/dev", "/dev")
    for path, at, _ in held:
        if os.path.isdir(at):
            os.makedirs(path, exist_ok=True)
        elif not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "w").close()
        quietly("mount", "--rbind", at, path)
    if strict == "strict":
        free = ["/dev", "/proc", "/sys"] + (["/tmp", "/var/tmp"] if tmp else [])
        points = [line.split()[4] for line in open("/proc/self/mountinfo")]
        below = lambda path, tops: any(path == top or path.startswith(top + "/") for top in tops)
        kept = [path for path, _, _ in held]
        for point in dict.fromkeys(points):
            if not below(point, free + [state]) or (below(point, kept) and not below(point, [state])):
                subprocess.run(["mount", "-o", "remount,bind,ro", point], capture_output=True)
    if kernel:
        for path in ("/proc/sys", "/sys"):
            quietly("mount", "--rbind", path, path)
            quietly("mount", "-o", "remount,bind,ro", path)
    if groups and os.path.isdir("/sys/fs/cgroup"):
        subprocess.run(["mount", "-o", "remount,bind,ro", "/sys/fs/cgroup"], capture_output=True)


def capabilities(unit, libc):
    bounding = unit.pop("CapabilityBoundingSet", None)
    ambient = unit.pop("AmbientCapabilities", [""])
    users = yes(unit, "PrivateUsers")
    assert not users or bounding is None or bounding[-1] == "", bounding
    assert ambient[-1] == "", "capabilities that are given are not known here"
    if bounding is not None and os.geteuid() == 0:
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        nothing = (ctypes.c_uint32 * 6)()
        if libc.capset(header, nothing) != 0:
            raise OSError(ctypes.get_errno(), "capset")


def main():
    arguments = sys.argv[1:]
    split = arguments.index("--")
    unit_file, state, *rest = arguments[:split]
    command = arguments[split + 1:]
    keep = [path for flag, path in zip(rest[::2], rest[1::2]) if flag == "--keep"]
    unit = directives(unit_file)
    libc = ctypes.CDLL(None, use_errno=True)
    lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    state = os.path.realpath(state)
    for value in unit.pop("Environment", []):
        for pair in value.split():
            key, text = pair.split("=", 1)
            os.environ[key] = text
    os.umask(int(unit.pop("UMask", ["0022"])[-1], 8))
    files = int(unit.pop("LimitNOFILE", ["0"])[-1])
    if files:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), min(files, hard)))
    filters = seccomp(unit, lib)
    mounts(unit, state, [os.path.realpath(path) for path in keep], libc)
    assert unit.pop("ProtectProc", ["invisible"])[-1] == "invisible"  # shows our own processes, which is all that is asked
    folders = [unit.pop(key, None) for key in ("StateDirectory", "WorkingDirectory", "CacheDirectory")]
    if folders[0]:
        os.environ["STATE_DIRECTORY"] = state
    if folders[1]:
        os.chdir(state)
    if folders[2]:  # the state folder stands for both
        os.environ["CACHE_DIRECTORY"] = f"{state}/cache"
        os.makedirs(f"{state}/cache", exist_ok=True)
    capabilities(unit, libc)
    if yes(unit, "NoNewPrivileges") and libc.prctl(38, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    unknown = set(unit) - STARTING
    if unknown:
        sys.exit(f"run_unit.py does not apply {', '.join(sorted(unknown))}: teach it, or the tests are no proof")
    for made in reversed(filters):  # the list of what is allowed is the last: it forbids to load another
        made.load()
    os.execvp(command[0], command)


main()
