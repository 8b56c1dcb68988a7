/** Senders of types that the specification does not name, by the shape of the value. */

import {
  alibabaEndpointId,
  alibabaServiceId,
  alibabaVpcId,
  awsVpcEndpointId,
  azurePrivateEndpointLinkId,
  gcpPscConnectionId,
  readTlvs,
  type TlvReader,
  ztunnelHostname,
  ztunnelIdentity,
} from "../../codec/mod.ts";
import { latin1, showText } from "./show.ts";

/** Returns the meaning of a value for a sender, or `undefined` if it has another shape. */
type Candidate = readonly [
  type: number,
  name: string,
  read: (value: Uint8Array) => string | undefined,
];

/** One that the codec reads. */
function known(name: string, reader: TlvReader): Candidate {
  const read = (value: Uint8Array) => {
    const found = reader.read(value);
    if (found === undefined) return undefined;
    return typeof found === "string" ? showText(found) : `${found}`;
  };
  return [reader.type, name, read];
}

/** Text of a pattern. */
function textual(type: number, name: string, pattern: RegExp): Candidate {
  const read = (value: Uint8Array) => {
    const text = latin1(value);
    return pattern.test(text) ? showText(text) : undefined;
  };
  return [type, name, read];
}

const CANDIDATES: readonly Candidate[] = [
  known("Istio ztunnel identity", ztunnelIdentity),
  known("Istio ztunnel host name", ztunnelHostname),
  known("GCP PSC connection", gcpPscConnectionId),
  textual(0xe0, "JA3 of Harper", /^[\da-f]{32}$/),
  textual(
    0xe0,
    "certificate fingerprint of InspIRCd",
    /^(?:[\da-f]{2}){16,64}$/i,
  ),
  known("Alibaba VPC", alibabaVpcId),
  known("Alibaba PrivateLink endpoint", alibabaEndpointId),
  known("Alibaba PrivateLink service", alibabaServiceId),
  textual(0xe1, "JA4 of Harper", /^[tqd]\w{9}_[\da-f]{12}_[\da-f]{12}$/),
  textual(
    0xe1,
    "W3C traceparent",
    /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/,
  ),
  [0xe4, "signed header of Teleport", readParts],
  known("AWS VPC endpoint", awsVpcEndpointId),
  textual(
    0xec,
    "endpoint of SAP's haproxy",
    /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
  ),
  known("Azure private endpoint LINKID", azurePrivateEndpointLinkId),
];

/** Sub-TLVs that fill a value. */
function readParts(value: Uint8Array): string | undefined {
  try {
    const { length } = Array.from(readTlvs(value));
    return length === 0 ? undefined : `${length} parts`;
  } catch {
    return undefined;
  }
}

/** Returns the possible meanings of a value, one for each sender with its shape. */
export function candidates(type: number, value: Uint8Array): string[] {
  return CANDIDATES.flatMap(([of, name, read]) => {
    const said = of === type ? read(value) : undefined;
    return said === undefined ? [] : [`${name} ${said}`];
  });
}
