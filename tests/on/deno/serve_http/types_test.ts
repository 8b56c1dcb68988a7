/**
 * Proofs for the compiler: types of Deno fit those of `./deno`. What is here
 * passes when it type-checks, and is never run.
 *
 * @module
 */

import {
  type DenoHandler,
  type DenoHandlerInfo,
  type DenoHttpServer,
  type DenoNetAddr,
  type DenoProxyOptions,
  type DenoServeTcpOptions,
  type DenoUnixAddr,
  proxyHop,
  proxyInfo,
  serveHttp,
} from "../../../../conn/deno.ts";
import type { Address, ListenerOptions, ProxyInfo } from "../../../../mod.ts";

const proxy = { trust: ["127.0.0.1"] };

function optionsOfDenoFit(
  tcp: Deno.ServeTcpOptions,
  tls: Deno.ServeTcpOptions & Deno.TlsCertifiedKeyPem,
  unix: Deno.ServeUnixOptions,
  init: Deno.ServeTcpOptions & Deno.ServeInit<Deno.NetAddr>,
  handler: Deno.ServeHandler<Deno.NetAddr>,
  anyHandler: Deno.ServeHandler,
): unknown[] {
  const server: Deno.HttpServer<Deno.NetAddr> = serveHttp(
    { ...tcp, proxy },
    handler,
  );
  const secure: Deno.HttpServer<Deno.NetAddr> = serveHttp(
    { ...tls, proxy },
    anyHandler,
  );
  const onPath: Deno.HttpServer<Deno.UnixAddr> = serveHttp(
    { ...unix, proxy },
    anyHandler,
  );
  const ofInit: Deno.HttpServer = serveHttp({ ...init, proxy });
  return [server, secure, onPath, ofInit];
}

function handlersFit(
  handler: Deno.ServeHandler<Deno.NetAddr>,
  any: Deno.ServeHandler,
  info: DenoHandlerInfo,
): unknown[] {
  const ofTcp: DenoHandler = handler;
  const ofAny: DenoHandler<Address> = any;
  const ofFetch: DenoHandler = (_request: Request) => new Response();
  const native: Deno.ServeHandlerInfo<Deno.NetAddr> = info;
  const shown: Deno.NetAddr = info.remoteAddr;
  return [ofTcp, ofAny, ofFetch, native, shown];
}

function everythingIsInferred(): void {
  const server = serveHttp({
    hostname: "127.0.0.1",
    port: 8080,
    tcpBacklog: 100,
    signal: AbortSignal.timeout(1),
    onError: (error) => new Response(String(error)),
    onListen({ hostname, port }) {
      const text: string = hostname + port.toFixed();
      return text;
    },
    proxy: { trust: "any", verify: (info, { hopAddr }) => !!(info && hopAddr) },
  }, (request, info) => {
    const header: ProxyInfo | undefined = info.proxy ?? proxyInfo(request);
    const hop: Address | undefined = info.hopAddr ?? proxyHop(request);
    return Response.json([info.remoteAddr.hostname, header, hop]);
  });
  const accepted: number = server.stats.accepted;
  const port: number = server.addr.port;
  const unix = serveHttp({
    path: "/run/socket",
    onListen: ({ path }) => path.length,
    proxy,
    handler: (_, { remoteAddr }) =>
      new Response("path" in remoteAddr ? remoteAddr.path : "network"),
  });
  const path: string = unix.addr.path;
  void [accepted, port, path];
}

function addressesFit(
  native: Deno.NetAddr,
  unix: Deno.UnixAddr,
  server: DenoHttpServer,
  options: ListenerOptions,
): unknown[] {
  const ours: DenoNetAddr = native;
  const back: Deno.NetAddr = ours;
  const path: DenoUnixAddr = unix;
  const disposable: AsyncDisposable = server;
  const shared: DenoProxyOptions = options;
  return [back, path, disposable, shared];
}

function optionsAreChecked(options: DenoServeTcpOptions): void {
  const handler = () => new Response();
  // @ts-expect-error: whom to trust has no default
  serveHttp({ port: 0 }, handler);
  // @ts-expect-error: whom to trust has no default
  serveHttp({ proxy: {} }, handler);
  // @ts-expect-error: there is no handler
  serveHttp(options);
  // @ts-expect-error: HTTP servers do not speak first
  serveHttp({ proxy: { trust: "any", lazy: true } }, handler);
  serveHttp({ path: "", proxy }, (_, { remoteAddr }) => {
    // @ts-expect-error: a client of a UNIX listener may be one of a network
    const path: string = remoteAddr.path;
    return new Response(path);
  });
}

void [
  optionsOfDenoFit,
  handlersFit,
  everythingIsInferred,
  addressesFit,
  optionsAreChecked,
];
