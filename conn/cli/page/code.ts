/** Bytes as source code, to be pasted. */

/** Bytes in a line of code. */
const LINE_LENGTH = 16;

/** Writes bytes in the form of a name: `c`, `go`, `python`, `shell`, or hex for any other. */
export function toCode(bytes: Uint8Array, form: string): string {
  switch (form) {
    case "c":
      return `static const unsigned char header[${bytes.length}] = {\n${
        lines(bytes, (byte) => `0x${hex(byte)}, `, "  ")
      }\n};`;
    case "go":
      return `header := []byte{\n${
        lines(bytes, (byte) => `0x${hex(byte)}, `, "\t")
      }\n}`;
    case "python":
      return `header = bytes.fromhex("${bytes.toHex()}")`;
    case "shell":
      return `{ printf '${
        Array.from(bytes, octal).join("")
      }'; cat; } | nc 127.0.0.1 8080`;
    default:
      return bytes.toHex();
  }
}

function lines(
  bytes: Uint8Array,
  show: (byte: number) => string,
  indent: string,
): string {
  const made: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE_LENGTH) {
    const line = bytes.subarray(at, at + LINE_LENGTH);
    made.push(`${indent}${Array.from(line, show).join("").trimEnd()}`);
  }
  return made.join("\n");
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** As every `printf` reads it: `\x` is not in POSIX. */
function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, "0")}`;
}
