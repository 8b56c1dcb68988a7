"""Twisted behind its "haproxy:" endpoint, which says whom it sees. Usage: PORT"""

import sys
from ipaddress import ip_address

from twisted.internet import endpoints, protocol, reactor
from twisted.internet.address import UNIXAddress


def text(host):
    # Twisted writes out the zeroes of v2, and has bytes for v1.
    return ip_address(host.decode() if isinstance(host, bytes) else host).compressed


def words(address, host, port):
    if isinstance(address, UNIXAddress):
        return f"{host}={address.name.decode()}"
    return f"{host}={text(address.host)} {port}={address.port}"


class Who(protocol.Protocol):
    def dataReceived(self, data):
        source = words(self.transport.getPeer(), "src", "sport")
        destination = words(self.transport.getHost(), "dst", "dport")
        self.transport.write(f"{source} {destination}\n".encode())
        self.transport.loseConnection()


endpoints.serverFromString(
    reactor, f"haproxy:tcp:{sys.argv[1]}:interface=127.0.0.1",
).listen(protocol.Factory.forProtocol(Who))
reactor.run()
