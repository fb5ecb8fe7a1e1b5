"""supervisord's XML-RPC over its unix socket."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

# What a call raises when supervisor is not there, does not answer, or refuses.
SILENT = (OSError, http.client.HTTPException, xmlrpc.client.Error)


def connect(path: Path, timeout_s: float) -> xmlrpc.client.ServerProxy:
    """Use it in a `with`: its end closes the connection."""
    transport = _UnixTransport(path, timeout_s)
    return xmlrpc.client.ServerProxy("http://supervisor", transport=transport)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path, self._timeout_s = path, timeout_s

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = self._connection[1] or _UnixConnection(self._path, self._timeout_s)
        self._connection = host, connection  # what `close` closes
        return connection
