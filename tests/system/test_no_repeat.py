# SPDX-License-Identifier: MIT
"""A POST is one byte stream: whatever a server does to the connection, it is never sent again.

libcurl repeats a POST by itself when a reused connection closes before an answer, and over HTTP/2
after a refused stream or a GOAWAY. The peer (no_repeat_peer.mjs) takes the request, cuts the
connection, and answers the repetition as if nothing had been: only its log tells the two apart.
"""
import json
import os
import subprocess
import urllib.request

import kit
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("GODWIT_BUILD", os.path.join(TOP, "build", "test"))
LIMIT_S = 20  # of what takes milliseconds
H1 = ["close", "close_at_head", "reset", "half_head", "half_body"]
H2 = ["close", "close_session", "refuse", "refuse_at_head", "cancel", "goaway"]
FAULTS = [(protocol, fault) for protocol in ("http", "https") for fault in H1] + [("h2", f) for f in H2]
# What curl, with its body at hand, sends twice: the proof that the peer tempts.
TEMPTING = [("http", "close"), ("http", "close_at_head"), ("http", "reset"), ("https", "close"),
            ("h2", "refuse"), ("h2", "refuse_at_head")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(key, certificate) for localhost; the certificate vouches for itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return key, cert


class Peer:
    def __init__(self, protocol, certificate):
        self.process = subprocess.Popen(["node", os.path.join(HERE, "no_repeat_peer.mjs"), protocol,
                                         *(certificate if protocol != "http" else ())],
                                        stdout=subprocess.PIPE, text=True)
        ports = json.loads(self.process.stdout.readline())
        self.origin = "%s://localhost:%d" % ("http" if protocol == "http" else "https", ports["port"])
        self.url = self.origin + "/v26.0/1001/messages"
        self.control = "http://127.0.0.1:%d" % ports["control"]
        self.ca = certificate[1] if protocol != "http" else None

    def ask(self, path):
        with urllib.request.urlopen(self.control + path, timeout=LIMIT_S) as answer:
            return json.load(answer)

    def arm(self, fault):
        self.ask("/arm/" + fault)

    def log(self):
        return self.ask("/log")

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start_peer(certificate):
    peers = []

    def start(protocol):
        peers.append(Peer(protocol, certificate))
        return peers[-1]

    yield start
    for peer in peers:
        peer.stop()


class Poster:
    """Our HTTP client in a process of its own: one POST for each call of post()."""

    def __init__(self, peer):
        program = os.path.join(BUILD, "tests", "system", "post_once")
        self.process = subprocess.Popen([program, peer.ca or "-", peer.url], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def post(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().split(" ", 2)
        assert len(line) == 3, "post_once ended with %s" % self.process.wait(LIMIT_S)
        return line[0], int(line[1])

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("protocol,fault", FAULTS)
def test_the_client_posts_once(start_peer, protocol, fault):
    peer = start_peer(protocol)
    poster = Poster(peer)
    assert poster.post() == ("answered", 200)
    peer.arm(fault)
    end, _ = poster.post()
    log = peer.log()
    if fault == "refuse_at_head" and end == "answered":
        # The refusal was here before a byte of the body had left: the same body's first way out, on a stream
        # that the peer did not refuse. Rare; the body that did leave is the case below.
        assert [entry["fault"] for entry in log] == [None, fault, None], "sent again: %s" % log
        return
    # To libcurl a head that ends early is an answer without a body, which no reader takes for Meta's.
    assert end == ("answered" if fault == "half_head" else "lost")
    assert [entry["fault"] for entry in log] == [None, fault], "sent again: %s" % log
    assert log[0]["connection"] == log[1]["connection"], "the connection was not reused"
    assert poster.post() == ("answered", 200)  # and the client is none the worse
    assert len(peer.log()) == 3
    poster.end()


@pytest.mark.parametrize("protocol,fault", TEMPTING)
def test_the_peer_tempts(start_peer, protocol, fault):
    peer = start_peer(protocol)
    post = ["-s", "-o", os.devnull, *(("--cacert", peer.ca) if peer.ca else ()), "-d", "{}", peer.url]
    done = subprocess.run(["curl", *post, "--next", "-s", "-o", os.devnull, peer.control + "/arm/" + fault,
                           "--next", *post], timeout=LIMIT_S)
    assert done.returncode == 0, "curl saw no failure"
    assert [entry["fault"] for entry in peer.log()] == [None, fault, None]


@pytest.mark.parametrize("protocol,fault", FAULTS)
def test_the_gateway_posts_once(start_peer, make_gateway, protocol, fault):
    """The whole way: what may have been read is unknown, and the peer has seen it once."""
    peer = start_peer(protocol)
    gateway = make_gateway(account={"base_url": peer.origin}, conf={"graph.ca_file": peer.ca or ""})
    gateway.wait_message(gateway.send_text("+5571990000001", "first"), state="accepted")
    peer.arm(fault)
    second = gateway.send_text("+5571990000002", "second")
    # Refused at its head, the stream may end before a byte of the body was pulled: then it was not sent.
    ends = ("unknown", "accepted") if fault == "refuse_at_head" else ("unknown",)
    kit.wait_until("second", lambda: gateway.message(second).state in ends)
    unsent = gateway.message(second).state == "accepted"
    gateway.wait_message(gateway.send_text("+5571990000003", "third"), state="accepted")
    log = peer.log()
    assert [entry["fault"] for entry in log] == [None, fault, None] + [None] * unsent, "sent again: %s" % log
    assert log[0]["connection"] == log[1]["connection"], "the connection was not reused"
    bodies = [json.loads(entry["body"])["text"]["body"] for entry in log if entry["complete"]]
    assert bodies == (["first", "third"] if fault.endswith("_at_head") and not unsent else
                      ["first", "second", "third"])
