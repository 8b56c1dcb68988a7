"""What aiosmtpd makes of headers: each comes with its length in 4 bytes, each answer is a line of JSON."""

import asyncio
import json
import logging
import sys

from aiosmtpd.proxy_protocol import AF, PROTO, V2_CMD, MalformedTLV, ProxyTLV, get_proxy

logging.disable()
loop = asyncio.new_event_loop()


def host(address):
    if isinstance(address, bytes):  # a path as it is on the wire
        end = address.find(0, 1)
        return "" if end == 1 and address[0] == 0 else address[:end if end > 0 else None].hex()
    return address.exploded


def end(address, port):
    return host(address) if port is None else f"{host(address)} {port}"


def tlvs(rest):
    try:
        found = ProxyTLV.from_raw(rest)
    except MalformedTLV:
        return {"tlvs": "malformed"}
    except IndexError:
        return {"tlvs": "failed"}
    if found is None:
        return {}
    text = {name: value.hex() if isinstance(value, (bytes, bytearray)) else str(value).lower()
            for name, value in found.items()}
    return {**{f"tlv {name}": value for name, value in text.items()},
            **{f"at {name}": str(at) for name, at in found.tlv_loc.items()}}


def facts(data):
    found = {
        "length": str(len(data.whole_raw)),
        "version": str(data.version),
        "command": "PROXY" if data.command is None else V2_CMD(data.command).name,
        "family": AF(data.family).name,
        "transport": PROTO(data.protocol).name,
        "rest": data.rest.hex(),
    }
    if data.src_addr is not None:
        found["source"] = end(data.src_addr, data.src_port)
        found["destination"] = end(data.dst_addr, data.dst_port)
    if data.tlv_start is not None:
        found["tlv_start"] = str(data.tlv_start)
    if data.version == 2:
        found.update(tlvs(bytes(data.rest)))
    return found


def answer(header):
    reader = asyncio.StreamReader(limit=1 << 20, loop=loop)
    reader.feed_data(header)
    reader.feed_eof()
    try:
        get_proxy(reader).send(None)
    except StopIteration as ended:  # all bytes are there: it never waits
        data = ended.value
    except EOFError:
        return {"refused": "ended early"}
    return {"facts": facts(data)} if data.valid else {"refused": data.error}


while head := sys.stdin.buffer.read(4):
    line = answer(sys.stdin.buffer.read(int.from_bytes(head, "big")))
    sys.stdout.write(json.dumps(line) + "\n")
