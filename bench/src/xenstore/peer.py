"""pyxs, in dom0: `python3 peer.py SOCKET ROOT`. Reads lines `CASE COUNT` and answers each with the nanoseconds that it
took. The library sends one request at a time."""
import sys
import time

import pyxs

VALUE = b"01234567890123456789"
path, root = sys.argv[1], sys.argv[2].encode()
node, watched = root + b"/node", root + b"/watched"


def transact(client):
    client.transaction()
    client.read(node)
    for name in (b"a", b"b", b"c"):
        client.write(root + b"/t0/" + name, VALUE)
    client.commit()


def run(client, name, count):
    if name == "watch":
        monitor = client.monitor()
        with monitor:
            monitor.watch(watched, b"t")
            events = monitor.wait()
            next(events)
            for _ in range(count):
                client.write(watched, VALUE)
                next(events)
            monitor.unwatch(watched, b"t")
        return
    for _ in range(count):
        if name.startswith("read"):
            client.read(node)
        elif name.startswith("write"):
            client.write(node, VALUE)
        else:
            transact(client)


with pyxs.Client(unix_socket_path=path) as client:
    client.write(node, VALUE)
    for name in (b"a", b"b", b"c"):
        client.write(root + b"/t0/" + name, VALUE)
    print("ready", flush=True)
    for line in sys.stdin:
        name, count = line.split()
        started = time.perf_counter_ns()
        run(client, name, int(count))
        print(time.perf_counter_ns() - started, flush=True)
    client.delete(root)
