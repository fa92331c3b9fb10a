/**
 * The program that an interpreter is asked with what it is. Runs on Python 2.7 and on every
 * Python 3, needs nothing but its own library, and prints one line of JSON.
 *
 * @module
 */

/** How the line of the answer begins. */
export const ANSWER_MARK = "transmute-interpreter:";

/** The text of the program. */
export const QUESTION = `
import sys
# The working folder is not ours: a platform.py in it is not asked.
sys.path[:] = [path for path in sys.path if path]
import json, os, platform, struct, sys, sysconfig

def libc():
    if not sys.platform.startswith("linux"):
        return None
    for ask in (lambda: os.confstr("CS_GNU_LIBC_VERSION").split(), platform.libc_ver):
        try:
            name, version = ask()
            major, minor = version.split(".")[:2]
            if name == "glibc":
                return {"name": name, "major": int(major), "minor": int(minor)}
        except Exception:
            pass
    try:
        import glob, re, subprocess
        for path in glob.glob("/lib/ld-musl-*.so.1"):
            asked = subprocess.Popen([path], stderr=subprocess.PIPE)
            text = asked.communicate()[1].decode()
            found = re.search(r"Version (\\d+)\\.(\\d+)", text)
            if found:
                return {"name": "musl", "major": int(found.group(1)), "minor": int(found.group(2))}
    except Exception:
        pass
    return None

def full_version(info):
    text = "%d.%d.%d" % tuple(info[:3])
    if info[3] != "final":
        text += {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info[3], info[3]) + str(info[4])
    return text

name = platform.python_implementation()
implementation = getattr(sys, "implementation", None)
flags = getattr(sys, "abiflags", None)
if flags is None:
    # Windows before 3.8, and Python 2.
    flags = ""
    if sys.version_info < (3, 8) and name == "CPython":
        flags += "m" if sysconfig.get_config_var("WITH_PYMALLOC") is not False else ""
    if sys.version_info < (3, 3) and sys.maxunicode == 0x10FFFF:
        flags += "u"
soabi = sysconfig.get_config_var("SOABI") or ""
mac = platform.mac_ver()[0].split(".") if sys.platform == "darwin" else None
answer = {
    "path": sys.executable,
    "facts": {
        "implementation": name.lower(),
        "major": sys.version_info[0],
        "minor": sys.version_info[1],
        "abiFlags": flags,
        "abi": "_".join(soabi.split("-")[:2]).replace("-", "_") if name != "CPython" else None,
        "platform": sysconfig.get_platform(),
        "is32Bit": struct.calcsize("P") == 4,
        "libc": libc(),
        "macos": {"major": int(mac[0]), "minor": int(mac[1])} if mac and len(mac) > 1 else None,
    },
    "markers": {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": name,
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "python_full_version": full_version(sys.version_info),
        "implementation_name": implementation.name if implementation else name.lower(),
        "implementation_version": full_version(
            implementation.version if implementation else sys.version_info
        ),
    },
}
print("${ANSWER_MARK}" + json.dumps(answer))
`;
