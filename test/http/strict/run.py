#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends every odd request of cases.txt, byte for byte, to a running server and compares what comes back with the table.

    run.py HOST:PORT                   the server to test: `sluice serve` with any data
    run.py --nginx [PATH]              nginx instead, started here with a small configuration in a temporary folder (default /usr/sbin/nginx);
                                       its verdicts are only shown
    run.py --nginx [PATH] --update     and written into the table's last column

A verdict is one word a request: ok, a status of refusal, more (nothing came back, the connection stays open). Prints TAP; exit 1 on a difference.
/healthz takes any method and reads its body on both servers, so the table asks for nothing else.
"""
import argparse
import concurrent.futures
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.txt")
WAIT_S = 0.4  # silence that counts as "waits for more"
REFUSALS = {400, 408, 411, 413, 414, 417, 431, 501, 505}
SIMPLE = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


def unescape(text):
    out = b""
    while text:
        if text[0] != "\\":
            out, text = out + text[0].encode("latin-1"), text[1:]
        elif text[1] == "x":
            out, text = out + bytes([int(text[2:4], 16)]), text[4:]
        elif text[1] == "{":
            inner, text = text[2:].split("}", 1)
            count, repeated = inner.split("*", 1)
            out += unescape(repeated) * int(count)
        else:
            out, text = out + SIMPLE[text[1]], text[2:]
    return out


def read_table():
    """Lines as they are; cases as (line number, name, bytes, verdict)."""
    with open(TABLE, encoding="utf-8") as file:
        lines = file.read().split("\n")
    cases = []
    for number, line in enumerate(lines):
        fields = line.split(" | ")
        if not line.startswith("#") and len(fields) == 4:
            cases.append((number, fields[0], unescape(fields[1]), fields[2]))
    return lines, cases


def split_replies(data):
    """The replies in what was received: (status, body) each. 100 Continue is not an answer."""
    replies = []
    while data:
        head, found, rest = data.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.[01] (\d\d\d)", head)
        if not found or not match:
            return replies + [(0, data)] if data.strip() else replies
        length = re.search(rb"(?i)\r\nContent-Length: *(\d+)", head)
        size = int(length.group(1)) if length else 0 if re.search(rb"(?i)chunked", head) is None and int(match.group(1)) < 300 else len(rest)
        if match.group(1) != b"100":
            replies.append((int(match.group(1)), rest[:size]))
        data = rest[size:]
    return replies


def ends(peer):
    """Does the server close, once we say that we have nothing more to send? It may be reading the rest of a body, to be polite."""
    peer.settimeout(5)
    try:
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65536):
            pass
    except socket.timeout:
        return False
    except OSError:
        pass
    return True


def verdict(address, request):
    data, closed = b"", False
    with socket.create_connection(address, timeout=10) as peer:
        try:
            peer.sendall(request)
        except OSError:
            pass  # closed while we were sending: what it said is still to be read
        peer.settimeout(WAIT_S)
        try:
            while True:
                got = peer.recv(65536)
                if not got:
                    closed = True
                    break
                data += got
        except socket.timeout:
            pass
        except OSError:
            closed = True
        words = [str(status) if status in REFUSALS else "ok" if status else "0.9" for status, _ in split_replies(data)]
        if not closed and words and words[-1] != "ok":
            closed = ends(peer)
    if not words:
        words.append("close" if closed else "more")
    return " ".join(words), closed


class Backend(http.server.BaseHTTPRequestHandler):
    """What nginx passes to: answers everything, so that nginx reads whole bodies."""

    def __getattr__(self, name):
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self.answer

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


CONFIG = """daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; client_max_body_size 10m; large_client_header_buffers 4 16k; keepalive_requests 100000;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{backend}; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """nginx on loopback, gone with the `with` block."""

    def __init__(self, path):
        self.path, self.port = path, free_port()

    def __enter__(self):
        self.dir = tempfile.mkdtemp()
        self.backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
        threading.Thread(target=self.backend.serve_forever, daemon=True).start()
        config = os.path.join(self.dir, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(dir=self.dir, port=self.port, backend=self.backend.server_address[1]))
        self.process = subprocess.Popen([self.path, "-c", config, "-p", self.dir], stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return ("127.0.0.1", self.port)
            except OSError:
                time.sleep(0.05)
        self.__exit__()
        sys.exit("nginx does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.backend.shutdown()
        shutil.rmtree(self.dir, ignore_errors=True)


def ask_nginx(path, update):
    lines, cases = read_table()
    with Nginx(path) as address:
        for number, name, request, want in cases:
            got, _ = verdict(address, request)
            print(f"{'same' if got == want else 'other':5} {got:8} {want:8} {name}")
            lines[number] = lines[number].rsplit(" | ", 1)[0] + " | " + got
    if update:
        with open(TABLE, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
    return 0


def ask_server(address):
    _, cases = read_table()
    failed = 0
    print(f"1..{len(cases)}")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:  # most of the time is waiting for silence
        verdicts = list(pool.map(lambda case: verdict(address, case[2]), cases))
    for index, ((_, name, _, want), (got, closed)) in enumerate(zip(cases, verdicts), 1):
        words = want.split()
        good = got == want and (closed or words[-1] in ("ok", "more"))  # a refusal ends the connection
        failed += not good
        print(f"{'ok' if good else 'not ok'} {index} - http/strict {name}" + ("" if good else f": {got}{'' if closed else ', open'}, not {want}"))
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", help="HOST:PORT of the server to test")
    parser.add_argument("--nginx", nargs="?", const="/usr/sbin/nginx", metavar="PATH")
    parser.add_argument("--update", action="store_true", help="write nginx's verdicts into the table")
    args = parser.parse_args()
    if args.nginx:
        return ask_nginx(args.nginx, args.update)
    if not args.address:
        parser.error("HOST:PORT or --nginx")
    host, port = args.address.rsplit(":", 1)
    return ask_server((host.strip("[]"), int(port)))


if __name__ == "__main__":
    sys.exit(main())
