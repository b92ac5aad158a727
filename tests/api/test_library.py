# SPDX-License-Identifier: MIT
"""libgodwit as a stranger meets it: installed, found by pkg-config, linked both ways."""
import glob
import http.server
import json
import os
import re
import subprocess
import threading

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("GODWIT_BUILD", os.path.join(TOP, "build", "test"))
PROGRAM = os.path.join(TOP, "tests", "api", "program.c")
EXAMPLE = os.path.join(TOP, "tests", "api", "example_send.c")


def output(argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    assert done.returncode == 0, "%s\n%s" % (" ".join(argv), done.stdout.decode())
    return done.stdout.decode()


def build_option(name):
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json")) as f:
        return next(o["value"] for o in json.load(f) if o["name"] == name)


def defined(library, *flags):
    rows = [line.split() for line in output(["nm", "--defined-only", *flags, library]).splitlines()]
    return sorted({row[2] for row in rows if len(row) == 3})


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder into which everything was installed."""
    root = tmp_path_factory.mktemp("root")
    env = dict(os.environ, DESTDIR=str(root))
    output(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], env=env)
    return root


def find(root, name):
    found = glob.glob(os.path.join(str(root), "**", name), recursive=True)
    assert found, "%s was not installed" % name
    return found[0]


@pytest.fixture(scope="module")
def visible(root):
    """The names that a program can see, and the names that it should."""
    return {"static": defined(find(root, "libgodwit.a"), "-g"),
            "shared": defined(find(root, "libgodwit.so"), "-D")}


@pytest.mark.parametrize("kind", ["static", "shared"])
def test_only_gw_names_are_visible(visible, kind):
    assert visible[kind]
    assert [name for name in visible[kind] if not name.startswith("gw_")] == []


def test_both_libraries_offer_the_same(visible):
    assert visible["static"] == visible["shared"]


def pkg_config(root, *what):
    folder = os.path.dirname(find(root, "libgodwit.pc"))
    system = output(["pkg-config", "--variable", "pc_path", "pkg-config"]).strip()
    env = dict(os.environ, PKG_CONFIG_LIBDIR=folder + ":" + system)
    words = output(["pkg-config", *what, "libgodwit"], env=env).split()
    prefix = output(["pkg-config", "--variable=prefix", "libgodwit"], env=env).strip()
    return [re.sub(r"^(-[IL])" + re.escape(prefix), r"\1" + str(root) + prefix, w) for w in words]


def build(root, source, program, language, link):
    compiler = ["c++", "-x", "c++"] if language == "c++11" else ["cc"]
    flags = ["-std=" + language, "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    if build_option("b_sanitize") != "none":
        flags.append("-fsanitize=" + build_option("b_sanitize"))
    libraries = pkg_config(root, "--libs", *(["--static"] if link == "static" else []))
    if link == "static":
        libraries = [find(root, "libgodwit.a") if w == "-lgodwit" else w for w in libraries]
    output(compiler + flags + pkg_config(root, "--cflags") + [source, "-x", "none", "-o", program]
           + libraries)
    return dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(find(root, "libgodwit.so")))


@pytest.mark.parametrize("language", ["c99", "c++11"])
@pytest.mark.parametrize("link", ["static", "shared"])
def test_a_program_of_its_own(root, tmp_path, language, link):
    program = str(tmp_path / "program")
    env = build(root, PROGRAM, program, language, link)
    assert output([program], env=env) == "here: 42 is too much\n"
    needed = output(["objdump", "-p", program])
    assert ("libgodwit.so.0" in needed) == (link == "shared")


class Graph(http.server.BaseHTTPRequestHandler):
    """Meta's side of the example: takes one message, or knows no token."""
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers["Authorization"], body))
        good = self.headers["Authorization"] == "Bearer good"
        answer = {"messages": [{"id": "wamid.X"}]} if good else \
            {"error": {"message": "Bad token", "code": 190}}
        data = json.dumps(answer).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def graph():
    server = http.server.HTTPServer(("127.0.0.1", 0), Graph)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("language", ["c99", "c++11"])
def test_the_example_sends(root, tmp_path, graph, language):
    """The example of the documentation, word for word, as C and as C++."""
    program = str(tmp_path / "example_send")
    env = build(root, EXAMPLE, program, language, "shared")
    env.update(GRAPH_URL="http://127.0.0.1:%d" % graph.server_port, WHATSAPP_TOKEN="good")
    argv = [program, "1063", "+1 (650) 555-1234", "Hello from C"]
    assert output(argv, env=env) == "accepted as wamid.X\n"
    env["WHATSAPP_TOKEN"] = "bad"
    done = subprocess.run(argv, env=env, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"Bad token (code 190, retry: account)\n")
    message = {"messaging_product": "whatsapp", "recipient_type": "individual",
               "to": "+16505551234", "type": "text", "text": {"body": "Hello from C"}}
    assert graph.seen == [("/v26.0/1063/messages", "Bearer good", message),
                          ("/v26.0/1063/messages", "Bearer bad", message)]


def test_what_is_installed(root):
    """Headers of include/godwit and no others; nothing outside the usual places."""
    installed = sorted(os.path.relpath(os.path.join(d, f), str(root))
                       for d, _, names in os.walk(str(root)) for f in names)
    headers = sorted(os.path.basename(f) for f in installed if f.endswith(".h"))
    assert headers == sorted(os.listdir(os.path.join(TOP, "include", "godwit")))
    kinds = r"(include/godwit/\w+\.h|lib\w*/(.*/)?libgodwit\.(a|so[.0-9]*|pc)|bin/godwit"
    kinds += r"|share/man/man1/godwit(-[a-z-]+)?\.1|share/man/man5/godwit\.conf\.5"
    kinds += r"|share/bash-completion/completions/godwit"
    kinds += r"|share/zsh/vendor-completions/_godwit|share/fish/vendor_completions\.d/godwit\.fish)$"
    assert [f for f in installed if not re.search(kinds, f)] == []


def declared():
    """Every function that a public header offers."""
    names = set()
    for path in glob.glob(os.path.join(TOP, "include", "godwit", "*.h")):
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.DOTALL)
        for line in re.findall(r"^GW_API\b[^;]*;", text, re.MULTILINE):
            names.add(re.search(r"\b(gw_\w+)\s*\(", line).group(1))
    return sorted(names)


def test_what_the_headers_offer_is_there(visible):
    assert visible["shared"] == declared()


def test_the_exported_names_change_on_purpose(visible):
    """A name once exported is a promise: add new ones to the list, take none away."""
    with open(os.path.join(TOP, "tests", "api", "libgodwit.symbols"), encoding="utf-8") as f:
        promised = f.read().split()
    assert visible["shared"] == promised
