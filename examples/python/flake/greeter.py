"""Greets whoever asks by HTTP: `GET /NAME`."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class Greeter(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_GET(self):
        name = unquote(self.path.lstrip("/")) or "world"
        body = f"Hello, {name}!\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Greeter)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()
