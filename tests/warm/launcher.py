# Stands in for a process that the server forks: gives it what it has itself, hands signals on, ends as it
# ends. When this is killed the server kills the other. `SERVER` and `PYTHON` are written above (__init__.py).
import array
import json
import os
import signal
import socket
import sys


def main():
    folder = os.getcwd()  # noqa: PTH109 - pathlib would take longer to import than all else
    order = json.dumps({"arguments": sys.argv[1:], "folder": folder, "environment": dict(os.environ)})
    server = socket.socket(socket.AF_UNIX)
    try:
        for stream in (0, 1, 2):
            os.fstat(stream)
        server.connect(SERVER)  # noqa: F821
    except OSError:  # a stream is closed, or the server has gone
        os.execv(PYTHON, [PYTHON, *sys.argv[1:]])  # noqa: F821
    streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", (0, 1, 2)))]
    server.sendmsg([b"%d\n" % len(order.encode())], streams)
    server.sendall(order.encode())
    heard = server.makefile("rb")
    pid = int(heard.readline() or 0)
    if not pid:
        os.execv(PYTHON, [PYTHON, *sys.argv[1:]])  # noqa: F821
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: os.kill(pid, number))
    code = int(heard.readline() or 1)  # of a process that a signal ended: that signal, negative
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


main()
