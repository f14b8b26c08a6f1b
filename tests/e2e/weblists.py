# SPDX-License-Identifier: Apache-2.0
"""A web server that has lists of what is revoked, or behaves as a test wants it to."""
import threading

from tunnels import Far


class Lists:
    """A web server with one list, or with what a test wants to be there instead."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = {}
        self.asked = []
        self.far = Far(self.talk)

    def url(self, path='/root.crl'):
        return f'http://{self.far.where}{path}'

    def put(self, answer, path='/root.crl'):
        """Bytes of a list, or a function of the socket, for whoever asks from now on."""
        with self.lock:
            self.answers[path] = answer

    def n_asked(self, path):
        with self.lock:
            return sum(head.split(b' ')[1].decode() == path for head in self.asked)

    def talk(self, sock, far):
        head = b''
        while b'\r\n\r\n' not in head:
            piece = sock.recv(4096)
            if not piece:
                return
            head += piece
        path = head.split(b' ')[1].decode()
        with self.lock:
            answer = self.answers.get(path)
            self.asked.append(head)
        if callable(answer):
            answer(sock)
        elif answer is None:
            sock.sendall(b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
        else:
            sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(answer) + answer)


def says_what(text):
    return lambda sock: sock.sendall(text)


def for_ever(head, piece):
    """Sends a piece again and again until nobody takes it."""
    def answer(sock):
        sock.sendall(head)
        while True:
            sock.sendall(piece)
    return answer


def says_nothing(sock):
    while sock.recv(100):
        pass
