"""OpenStack Swift with its S3 interface, in one process: account, container, object and proxy.

Usage: python3 swift_server.py FOLDER REGION PAGE_SIZE USER=SECRET…

Keeps everything below FOLDER, listens on free ports of this machine only, prints the port of the
proxy in one line once it serves, and ends with its standard input, removing FOLDER.
"""

import os
import shutil
import sys
import warnings

warnings.simplefilter("ignore")
import eventlet  # noqa: E402

eventlet.patcher.monkey_patch(all=False, socket=True, thread=True)
from eventlet import wsgi as eventlet_wsgi  # noqa: E402
from swift.common import utils, wsgi  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402

FOLDER, REGION, PAGE_SIZE, *USERS = sys.argv[1:]
CONFIGURATION = os.path.join(FOLDER, "etc")
DEVICES = os.path.join(FOLDER, "srv")
STORES = ("account", "container", "object")

PROXY = """
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth copy dlo slo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
location = {region}
max_bucket_listing = {page_size}
[filter:tempauth]
use = egg:swift#tempauth
{users}
"""
FILTERS = ("catch_errors", "gatekeeper", "listing_formats", "copy", "dlo", "slo", "versioned_writes")

STORE = """
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""


class Silence:
    """Where the servers write their access logs."""

    def write(self, *_text):
        """Writes nothing."""

    def flush(self):
        """Has nothing to write."""


def write(name, text):
    """Writes a file of configuration."""
    path = os.path.join(CONFIGURATION, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def settings(port):
    """The settings that all four have."""
    return (
        f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\n"
        f"swift_dir = {CONFIGURATION}\ndevices = {DEVICES}\nmount_check = false\n"
    )


def serve(path, socket):
    """Serves the application of a configuration."""
    application = wsgi.loadapp(path, global_conf={"log_level": "CRITICAL"})
    pool = eventlet.GreenPool(200)
    eventlet.spawn(
        eventlet_wsgi.server, socket, application, log=Silence(), custom_pool=pool,
        protocol=wsgi.SwiftHttpProtocol,
    )


def end_with_input():
    """Ends this process when whoever started it is gone."""
    os.read(0, 1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    os._exit(0)


def main():
    """Writes the configuration around free ports, and serves."""
    os.makedirs(CONFIGURATION)
    os.makedirs(os.path.join(DEVICES, "disk"))
    write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = transmute\n")
    utils.set_swift_dir(CONFIGURATION)
    for name in STORES:
        socket = eventlet.listen(("127.0.0.1", 0))
        port = socket.getsockname()[1]
        ring = RingBuilder(1, 1, 0)
        ring.add_dev({
            "id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "disk", "meta": "",
            "ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port,
        })
        ring.rebalance()
        ring.get_ring().save(os.path.join(CONFIGURATION, f"{name}.ring.gz"))
        serve(write(f"{name}.conf", settings(port) + STORE.format(name=name)), socket)
    socket = eventlet.listen(("127.0.0.1", 0))
    port = socket.getsockname()[1]
    users = "\n".join(
        f"user_{user.replace(':', '_')} = {secret} .admin"
        for user, secret in (pair.split("=", 1) for pair in USERS)
    )
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in FILTERS)
    text = settings(port) + PROXY.format(region=REGION, page_size=PAGE_SIZE, users=users) + filters
    serve(write("proxy.conf", text), socket)
    print(port, flush=True)
    eventlet.patcher.original("threading").Thread(target=end_with_input, daemon=True).start()
    while True:
        eventlet.sleep(3600)


main()
