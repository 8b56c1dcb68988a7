"""aiosmtpd with PROXY, whose answer to EHLO says what came. Usage: PORT"""

import asyncio
import sys

from aiosmtpd.controller import Controller

TLVS = ["ALPN", "AUTHORITY", "UNIQUE_ID", "SSL_VERSION", "SSL_CN", "SSL_CIPHER"]


def words_of(proxy):
    if isinstance(proxy.src_addr, bytes):  # UNIX sockets
        source, destination = (path.rstrip(b"\0").decode() for path in (proxy.src_addr, proxy.dst_addr))
        return [f"src={source}", f"dst={destination}"]
    return [f"src={proxy.src_addr}", f"sport={proxy.src_port}",
            f"dst={proxy.dst_addr}", f"dport={proxy.dst_port}"]


class Handler:
    async def handle_PROXY(self, server, session, envelope, proxy_data):
        session.proxy = proxy_data
        return True

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        proxy = session.proxy
        if proxy.src_addr is None:  # LOCAL, UNKNOWN, UNSPEC
            words = [f"src={session.peer[0]}", f"sport={session.peer[1]}"]
        else:
            words = words_of(proxy)
        tlvs = (proxy.tlv if proxy.version == 2 else None) or {}
        words += [f"{name.lower()}={tlvs[name].decode()}"
                  for name in TLVS if name in tlvs]
        return [responses[0], "250-" + " ".join(words)] + responses[1:]


controller = Controller(
    Handler(), hostname="127.0.0.1", port=int(sys.argv[1]),
    proxy_protocol_timeout=3, ready_timeout=5)
controller.start()
asyncio.new_event_loop().run_forever()
