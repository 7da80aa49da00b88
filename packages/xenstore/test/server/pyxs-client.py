"""What a Python client (Debian's python3-pyxs) does with a xenstored: prints what it saw, as JSON."""

import json
import sys

import pyxs

path = sys.argv[1]
seen = {}
with pyxs.Client(unix_socket_path=path) as client:
    client.write(b"/py/value", b"one")
    client[b"/py/bytes"] = b"two"
    seen["read"] = [client.read(b"/py/value").decode(), client[b"/py/bytes"].decode()]
    client.mkdir(b"/py/dir")
    seen["list"] = [name.decode() for name in client.list(b"/py")]
    seen["exists"] = [client.exists(b"/py/dir"), client.exists(b"/py/none")]
    client.set_perms(b"/py/value", [b"n0", b"r0"])
    seen["perms"] = [text.decode() for text in client.get_perms(b"/py/value")]
    try:
        client.read(b"/py/none")
    except pyxs.exceptions.PyXSError as error:
        seen["missing"] = error.args[0]
    client.transaction()
    client[b"/py/tx"] = b"committed"
    client.commit()
    client.transaction()
    client[b"/py/tx"] = b"dropped"
    client.rollback()
    seen["transaction"] = client[b"/py/tx"].decode()
    seen["domain"] = client.get_domain_path(0).decode()
    client.delete(b"/py/dir")
    seen["deleted"] = client.exists(b"/py/dir")
    with client.monitor() as monitor:
        monitor.watch(b"/py/watched", b"token")
        events = [next(monitor.wait())]
        client[b"/py/watched/below"] = b""
        events.append(next(monitor.wait()))
        monitor.unwatch(b"/py/watched", b"token")
    seen["events"] = [[part.decode() for part in event] for event in events]
print(json.dumps(seen))
