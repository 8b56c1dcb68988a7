/**
 * What `conn/` may use of the codec besides `mod.ts`: nothing of it is for
 * users.
 *
 * @module
 */

export {
  DECODE_OPTIONS,
  type DecodeRules,
  readDecodeOptions,
} from "./_decode_options.ts";
export {
  checkHeader,
  ENCODE_OPTIONS,
  readEncodeOptions,
} from "./_encode_options.ts";
export { checksumAt, checksumOf, isChecksumRight } from "./_checksum.ts";
export { checkNames, checkOneOf, checkPlain, suggestion } from "./_options.ts";
export { type Hint, hintOf } from "./_hint.ts";
export { formatIpv4, formatIpv6, isMapped } from "./_ip_text.ts";
export { parseIp } from "./_parse_ip.ts";
export { quote } from "./_quote.ts";
export { scan } from "./_scan.ts";
export { announcedLength, signatureIn } from "./_signature.ts";
export {
  EMPTY,
  FAMILIES,
  FIXED_LENGTH,
  LARGEST_PORT,
  LINE_SIGNATURE,
  LONGEST_HEADER,
  PORTS_LENGTH,
  SIGNATURE,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
  TRANSPORTS,
} from "./_wire.ts";
export { kindOf } from "./describe.ts";
export { withoutReadings } from "./tlvs/entries.ts";
export { isClientEncrypted } from "./tlvs/is_client_encrypted.ts";
export { isNamed, isSslSubtype, tlvHexName, tlvKind } from "./tlvs/types.ts";
