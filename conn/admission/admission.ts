import { isClientEncrypted } from "../../codec/internal.ts";
import {
  type Address,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { type Ends, endsOf, unmapped } from "../_ends.ts";
import { DISCARDED } from "./discarded.ts";
import type { Gate } from "./gate.ts";
import { type Header, HeaderReader, NO_HEADER } from "./header_reader.ts";
import { expectsHeader, type Policy } from "./policy.ts";
import { toRefusal, verifyError } from "./refusal.ts";
import type { Wait } from "./waits.ts";

/** A driver of one connection: it decides nothing, and does what the machine says. */
export interface Peer<C> {
  /** What `verify` is called with. */
  readonly conn: C;
  /** What it is called with instead if the application has `conn` already, which shows no claim. */
  readonly asked?: C | undefined;
  /** Returns its own end of the connection. */
  ownEnd(): Address;
  /** Why the connection is closed, as far as is known now; `undefined` while it is open. */
  readonly failure: unknown;
  /** Finds that out, if only a call can; called after `verify`. */
  probe?(): Promise<unknown>;
  /** Hands the connection over before its header has arrived: only with `lazy`. */
  handOver?(): void;
  /**
   * Shows the client's ends, or its own if there are none, to `verify` at first;
   * and that the client used TLS, if that is to be shown.
   */
  show(header: Header, ends: Ends | undefined, isEncrypted: boolean): void;
  /** Hands the connection over, or what it waits for if it has been. */
  admit(info: ProxyInfo | undefined): void;
  /** Closes the connection and passes the reason on. */
  refuse(error: ProxyProtocolError): void;
}

/** Where a connection is; see {@link Admission}. */
type Phase = "new" | "header" | "settling" | "verify" | "admitted" | "refused";

/**
 * Decides about one connection: trust, deadline, header, `verify`, the client's
 * ends, and how it is counted. It does no I/O: a driver calls it when something
 * happens, and it calls the driver, a {@link Peer}, to act.
 *
 * | phase      | event                     | next       | calls of the peer             |
 * |------------|---------------------------|------------|-------------------------------|
 * | `new`      | begin, trusted            | `header`   | `handOver` if lazy            |
 * | `new`      | begin, direct             | `settling` | as for settle                 |
 * | `new`      | begin, anything else      | `refused`  | `refuse`                      |
 * | `header`   | `took`, `push`, `end`: whole | `settling` |                               |
 * | `header`   | `took`, `push`, `end`: bad | `refused`  | `refuse`                      |
 * | `header`   | fail, deadline, abort     | `refused`  | `refuse`                      |
 * | `settling` | settle, to be verified    | `verify`   | `show`                        |
 * | `settling` | settle, else              | `admitted` | `show`, `admit`               |
 * | `settling` | settle, but it has gone   | `refused`  | `show`, `refuse`              |
 * | `verify`   | the answer is `true`      | `admitted` | `probe` if it has it, `admit` |
 * | `verify`   | any other answer, or gone | `refused`  | `refuse`                      |
 * | `verify`   | abort                     | `refused`  | `refuse`                      |
 *
 * What happens in `admitted` and `refused` changes nothing.
 */
export class Admission<C> {
  /** The peer: the proxy that connected to us, or a direct client. */
  readonly hop: Address;
  readonly #gate: Gate<C>;
  readonly #peer: Peer<C>;
  readonly #reader: HeaderReader;
  #phase: Phase = "new";
  /** Of the header, then of `verify`. */
  #wait: Wait | undefined;

  /** Nothing is counted before {@link begin}. */
  constructor(gate: Gate<C>, hop: Address, peer: Peer<C>) {
    this.#gate = gate;
    this.hop = gate.policy.decode.unmap ? unmapped(hop) : hop;
    this.#peer = peer;
    this.#reader = new HeaderReader(gate.policy);
  }

  /** The bytes of the header so far. */
  get received(): Uint8Array {
    return this.#reader.received;
  }

  /** Whether bytes of a header are wanted. */
  get wantsBytes(): boolean {
    return this.#phase === "header";
  }

  /** Whether it is neither admitted nor rejected. */
  get isPending(): boolean {
    return this.#phase !== "admitted" && this.#phase !== "refused";
  }

  /**
   * Begins: returns true if bytes are wanted. The deadline for them, in ms,
   * runs from now on.
   */
  begin(timeout: number = this.#gate.policy.timeout): boolean {
    const { policy, waits } = this.#gate;
    let isHeaderExpected: boolean;
    try {
      this.#gate.enter();
      waits.check();
      const { failure } = this.#peer;
      if (failure !== undefined) throw failure;
      isHeaderExpected = expectsHeader(policy, this.hop);
    } catch (error) {
      this.#refuse(error);
      return false;
    }
    if (!isHeaderExpected) {
      this.#phase = "settling";
      this.settle(NO_HEADER);
      return false;
    }
    this.#gate.makeRoom();
    this.#phase = "header";
    this.#await(timeout);
    if (policy.lazy) this.#peer.handOver?.();
    return true;
  }

  #await(timeout: number): void {
    const refuse = (error: ProxyProtocolError) => this.#refuse(error);
    this.#wait = this.#gate.waits.begin(refuse, this, timeout);
  }

  /** Where to read to: never more than the header still needs. */
  get room(): Uint8Array {
    return this.#reader.room;
  }

  /** Reads the bytes in {@link room}; returns the header once it is whole. */
  took(count: number): Header | undefined {
    return this.#read(() => this.#reader.take(count));
  }

  /** Reads bytes that have arrived; returns the header once it is whole. */
  push(chunk: Uint8Array): Header | undefined {
    return this.#read(() => this.#reader.push(chunk));
  }

  /** Handles the end of the stream; returns a header if an absent one is allowed. */
  end(): Header | undefined {
    return this.#read(() => this.#reader.end());
  }

  /**
   * Handles a failure of the connection while its header is read. Later failures
   * are looked for when `verify` has answered, since some runtimes do not report
   * them.
   */
  fail(error: unknown): void {
    if (this.#phase === "header") this.#refuse(error);
  }

  #read(work: () => Header | undefined): Header | undefined {
    if (this.#phase !== "header") return undefined;
    let header: Header | undefined;
    try {
      header = work();
    } catch (error) {
      this.#refuse(error);
      return undefined;
    }
    if (header === undefined) return undefined;
    this.#phase = "settling";
    this.#endWait();
    return header;
  }

  #endWait(): void {
    if (this.#wait !== undefined) this.#gate.waits.end(this.#wait);
    this.#wait = undefined;
  }

  /** Decides about a whole header. The driver has kept the payload that arrived with it. */
  settle(header: Header): void {
    const { info } = header;
    const { policy, waits } = this.#gate;
    const { verify } = policy;
    const isDiscarded = policy.header === "discard";
    if (isDiscarded && info !== undefined) DISCARDED.add(info);
    try {
      const ends = isDiscarded ? undefined : endsOf(info);
      this.#peer.show(
        header,
        ends ?? this.#unmappedEnds(),
        !isDiscarded && this.#showsTls(info),
      );
      if (info !== undefined && verify !== undefined) waits.check();
    } catch (error) {
      return this.#refuse(error);
    }
    if (info === undefined || verify === undefined) return this.#admit(info);
    this.#phase = "verify";
    this.#await(Infinity); // the header is there: `signal` alone bounds it
    this.#verify(info, verify);
  }

  /** LOCAL has no client: what it says of one is ignored (section 2.2). */
  #showsTls(info: ProxyInfo | undefined): boolean {
    return this.#gate.policy.encrypted && info?.command === "PROXY" &&
      isClientEncrypted(info);
  }

  /** Its own ends, if they are to be shown in another way than the runtime has them. */
  #unmappedEnds(): Ends | undefined {
    if (!this.#gate.policy.decode.unmap) return undefined;
    const localAddr = unmapped(this.#peer.ownEnd());
    return { remoteAddr: { ...this.hop }, localAddr };
  }

  async #verify(
    info: ProxyInfo,
    verify: NonNullable<Policy<C>["verify"]>,
  ): Promise<void> {
    let refusal: unknown;
    try {
      const answer = await verify(info, this.#peer.asked ?? this.#peer.conn);
      if (answer !== true) refusal = verifyError(info, undefined);
      else if (this.#phase === "verify") refusal = await this.#peer.probe?.();
    } catch (error) {
      refusal = error instanceof ProxyProtocolError
        ? this.#ofUser(error)
        : verifyError(info, error);
    }
    if (this.#phase !== "verify") return; // rejected meanwhile
    if (refusal === undefined) this.#admit(info);
    else this.#refuse(refusal);
  }

  /** What `verify` throws is passed on as it is. */
  #ofUser(error: ProxyProtocolError): ProxyProtocolError {
    error.hop ??= this.hop;
    return error;
  }

  #admit(info: ProxyInfo | undefined): void {
    const { failure } = this.#peer;
    if (failure !== undefined) return this.#refuse(failure);
    this.#phase = "admitted";
    this.#endWait();
    this.#gate.accept(info);
    this.#peer.admit(info);
  }

  #refuse(error: unknown): void {
    this.#phase = "refused";
    this.#endWait();
    const refusal = toRefusal(error, this.hop, this.received);
    this.#peer.refuse(refusal);
    this.#gate.refuse(refusal);
  }
}
