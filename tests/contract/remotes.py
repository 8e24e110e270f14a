"""Servers of one git repository on a loopback port: HTTPS with a login, and SSH with a key; for tests only.

git's own programs answer (http-backend, upload-pack); the protocols around them are http.server's, ssl's, paramiko's.
"""

import base64
import os
import shlex
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import paramiko

LOGIN = "reader", "a-token"


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself; its key is beside it."""
    made = folder / "ca.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"), "-out", str(made)]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    return made


@contextmanager
def https(root: Path, pem: Path) -> Iterator[int]:
    """The port where everything below `root` is served by git http-backend to who has the login."""
    wanted = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()

    class Backend(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            asked = {
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": LOGIN[0],
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            command = ["git", "http-backend"]
            done = subprocess.run(command, input=body, capture_output=True, check=False, env={**os.environ, **asked})
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in {**fields, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, pem.with_name("key.pem"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class _Reader(paramiko.ServerInterface):
    """Lets one key in, and runs git-upload-pack for it."""

    def __init__(self, allowed: str) -> None:
        self._allowed = allowed

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if key.get_base64() == self._allowed.split()[1] else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_env_request(self, channel: paramiko.Channel, name: bytes, value: bytes) -> bool:
        return False

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        words = shlex.split(command.decode())
        if words[0] != "git-upload-pack":
            return False
        threading.Thread(target=_answer, args=(channel, words), daemon=True).start()
        return True


def _answer(channel: paramiko.Channel, words: list[str]) -> None:
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as program:
        assert program.stdin
        assert program.stdout

        def feed(into: Any) -> None:
            while data := channel.recv(65536):
                into.write(data)
            into.close()

        threading.Thread(target=feed, args=(program.stdin,), daemon=True).start()
        while data := program.stdout.read(65536):
            channel.sendall(data)
        channel.send_exit_status(program.wait())
    channel.close()


@contextmanager
def ssh(host_key: Path, allowed: str) -> Iterator[int]:
    """The port where git-upload-pack answers who has the key whose public half is `allowed`."""
    key = paramiko.Ed25519Key(filename=str(host_key))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(key)
            transport.start_server(server=_Reader(allowed), event=threading.Event())

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()
