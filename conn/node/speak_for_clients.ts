import type { NetConnectOpts, Socket } from "node:net";
import type { EncodeOptions } from "../../codec/mod.ts";
import {
  type Client,
  clientOf,
  type ClientSocket,
  socketOf,
} from "./client.ts";
import { IdleSockets } from "./idle_sockets.ts";
import { override } from "./override.ts";

/** Property with the client in the options of a request, until it has a connection. */
const CLIENT = Symbol("client");

/** A client of an agent. */
interface Speaker extends Client {
  /** Whether the client has left, so that its connections are not used again. */
  hasLeft: boolean;
}

/** Options of a request, and what an agent adds. */
export type RequestFacts = NetConnectOpts & {
  [CLIENT]?: Speaker;
  /** Key by which an `https.Agent` keeps sessions of TLS. */
  _agentKey?: string;
  /** Socket below TLS. */
  socket?: Socket;
};

/** Own methods that an agent calls on every runtime. The types have only some. */
interface Hooks {
  getName(options?: RequestFacts): string;
  addRequest(request: unknown, options: RequestFacts): void;
  createConnection(options: RequestFacts, done: unknown): Socket;
  keepSocketAlive(socket: Socket): boolean;
  reuseSocket(socket: Socket, request: unknown): void;
}

const HOOKS = Object.keys(
  {
    getName: 0,
    addRequest: 0,
    createConnection: 0,
    keepSocketAlive: 0,
    reuseSocket: 0,
  } satisfies Record<keyof Hooks, 0>,
);

function hasHooks(agent: object): agent is Hooks {
  return HOOKS.every((name) => typeof Reflect.get(agent, name) === "function");
}

function hooksOf(agent: object): Hooks {
  if (hasHooks(agent)) return agent;
  throw new Error("Cannot make the agent: that of the runtime works otherwise");
}

/** Makes a connection that begins with `header`. `connect` is the agent's own method. */
export type ConnectAs = (
  options: RequestFacts,
  header: Uint8Array,
  connect: (options: RequestFacts) => Socket,
) => Socket;

/** Options of an agent that speaks for clients. */
interface Manner {
  connectAs: ConnectAs;
  /** Options of the headers. */
  encode: EncodeOptions;
  /** Limit of the idle connections of all clients together. */
  mostIdle: number;
  /** How long one of them may be idle, in ms. */
  idleTimeout: number;
}

/**
 * Makes an agent keep its connections by client, and begin each with the header
 * of its client. Returns a function that returns the agent for a client.
 *
 * An agent finds idle connections by a name, made of the host and of TLS options.
 * Here the name ends with the header, so no request of another client finds them.
 */
export function speakForClients<A extends object>(
  agent: A,
  { connectAs, encode, mostIdle, idleTimeout }: Manner,
): (client: object) => A {
  const {
    getName,
    addRequest,
    createConnection,
    keepSocketAlive,
    reuseSocket,
  } = hooksOf(agent);
  const idle = new IdleSockets(mostIdle, idleTimeout);
  const owners = new WeakMap<Socket, Speaker>();

  override(agent, "getName", (options?: RequestFacts) => {
    const name = getName.call(agent, options);
    const speaker = options?.[CLIENT];
    return speaker === undefined ? name : `${name}:${speaker.key}`;
  });
  override(agent, "addRequest", (request: unknown, options: RequestFacts) => {
    speakerOf(options); // throws in the caller's own call
    addRequest.call(agent, request, options);
  });
  override(
    agent,
    "createConnection",
    (options: RequestFacts, done: unknown) => {
      const speaker = speakerOf(options);
      // A session of TLS does not depend on the client, so all clients resume it.
      const shared = { ...options, _agentKey: getName.call(agent, options) };
      const connect = (options: RequestFacts) =>
        createConnection.call(agent, options, done);
      const socket = connectAs(shared, speaker.header, connect);
      owners.set(socket, speaker);
      socket.once("close", () => idle.remove(socket));
      return socket;
    },
  );
  override(agent, "keepSocketAlive", (socket: Socket) => {
    const speaker = owners.get(socket);
    if (speaker === undefined || speaker.hasLeft) return false;
    const isKept = keepSocketAlive.call(agent, socket);
    if (isKept) idle.add(socket, speaker);
    return isKept;
  });
  override(agent, "reuseSocket", (socket: Socket, request: unknown) => {
    idle.remove(socket);
    reuseSocket.call(agent, socket, request);
  });

  const agents = new WeakMap<ClientSocket, A>();
  return (client) => {
    const socket = socketOf(client);
    const known = socket && agents.get(socket);
    if (known !== undefined) return known;
    const speaker = { ...clientOf(client, encode), hasLeft: false };
    const own: A = Object.create(agent); // all but the client is in one place
    override(own, "addRequest", (request: unknown, options: RequestFacts) => {
      addRequest.call(agent, request, { ...options, [CLIENT]: speaker });
    });
    if (socket === undefined) return own;
    agents.set(socket, own);
    const leave = () => {
      speaker.hasLeft = true;
      idle.endAllOf(speaker);
    };
    if (socket.destroyed) leave();
    else socket.once("close", leave);
    return own;
  };
}

function speakerOf(options: RequestFacts): Speaker {
  const speaker = options[CLIENT];
  if (speaker !== undefined) return speaker;
  throw new TypeError(
    "Cannot send the request: for which client? Use agent.for(request)",
  );
}
