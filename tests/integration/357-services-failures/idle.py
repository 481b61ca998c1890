"""Holds idle connections, some of which have sent a part of a request, until the server
has closed each; prints a line "open" when all are open, then the number of closed ones.

idle.py PORT COUNT"""
import socket
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
for i, begun in enumerate([b"", b"P", b"POST /orders/create/id/1 HTTP/1.1\r\n",
                           b"POST /orders/create/id/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n{"]):
    for connection in connections[i::16]:
        if begun:
            connection.sendall(begun)
print("open", flush=True)
ended = 0
for connection in connections:
    connection.settimeout(60)
    try:
        while connection.recv(4096):
            pass
        ended += 1
    except ConnectionError:
        ended += 1
    except TimeoutError:
        pass
print(ended, flush=True)
