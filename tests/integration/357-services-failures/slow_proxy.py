"""Forwards connections to a port; delays answers while a file exists.

slow_proxy.py LISTEN-PORT TARGET-PORT FILE MILLISECONDS"""
import os
import socket
import sys
import threading
import time

listen, target, flag, delay_s = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]) / 1000


def carry(source, sink, is_answer):
    try:
        while data := source.recv(65536):
            if is_answer and os.path.exists(flag):
                time.sleep(delay_s)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()


server = socket.create_server(("127.0.0.1", listen))
while True:
    client, _ = server.accept()
    peer = socket.create_connection(("127.0.0.1", target))
    threading.Thread(target=carry, args=(client, peer, False), daemon=True).start()
    threading.Thread(target=carry, args=(peer, client, True), daemon=True).start()
