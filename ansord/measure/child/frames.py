"""Frames between the daemon, a keeper and its runner: a little-endian u32 length and a msgpack map."""

from __future__ import annotations

import socket
import struct
from typing import Any

import msgpack

_LENGTH = struct.Struct("<I")


class Gone(Exception):
    """The other end closed its socket, or died."""


def send(sock: socket.socket, message: dict[str, Any]) -> None:
    """One frame, whole. Raises Gone."""
    data = msgpack.packb(message)
    try:
        sock.sendall(_LENGTH.pack(len(data)) + data)
    except OSError as error:
        raise Gone from error


def receive(sock: socket.socket) -> dict[str, Any]:
    """The next frame, waiting for it. Raises Gone."""
    (size,) = _LENGTH.unpack(_exactly(sock, _LENGTH.size))
    message: dict[str, Any] = msgpack.unpackb(_exactly(sock, size))
    return message


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        try:
            part = sock.recv(size - len(data))
        except OSError as error:
            raise Gone from error
        if not part:
            raise Gone
        data += part
    return bytes(data)


class Reader:
    """Frames out of a socket that does not block, from a process that is not trusted to send any."""

    LARGEST = 1 << 24

    def __init__(self) -> None:
        self._data = bytearray()

    def take(self, sock: socket.socket) -> dict[str, Any] | None:
        """A frame, if all of it is here. Raises ValueError for what is none."""
        try:
            while part := sock.recv(1 << 16, socket.MSG_DONTWAIT):
                self._data += part
                if len(self._data) > self.LARGEST:
                    raise ValueError("too many bytes")
        except (BlockingIOError, ConnectionResetError):
            pass
        if len(self._data) < _LENGTH.size:
            return None
        (size,) = _LENGTH.unpack(self._data[: _LENGTH.size])
        if size > self.LARGEST:
            raise ValueError("no frame")
        if len(self._data) < _LENGTH.size + size:
            return None
        message = msgpack.unpackb(self._data[_LENGTH.size :])  # ValueError too if more follows
        if not isinstance(message, dict):
            raise ValueError("no map")
        return message
