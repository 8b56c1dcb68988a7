/** Options and headers with names or values that are none. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkNames, checkOneOf, suggestion } from "../../codec/internal.ts";
import {
  bytesNeeded,
  decode,
  type DecodeOptions,
  decodeTlvs,
  encode,
  encodeInto,
  type EncodeOptions,
  type ProxyHeader,
} from "../../codec/mod.ts";
import { either } from "../../codec/_options.ts";
import { net } from "./_facts.ts";
import { ascii, BLOCK4, tlv, v2 } from "./_hex.ts";

const LINE = ascii("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n");
const ENDS = {
  source: net("192.0.2.1", 1),
  destination: net("198.51.100.1", 2),
};

/** What no caller with types can give. */
function untyped<T extends object>(value: unknown): T {
  const holder: { value: T } = JSON.parse('{"value":null}');
  Reflect.set(holder, "value", value);
  return holder.value;
}

/** Options, the class of the error, its message from `read` on. */
type Wrong = readonly [
  options: unknown,
  errorClass: typeof TypeError | typeof RangeError,
  message: string,
];

const WRONG_DECODE: readonly Wrong[] = [
  [
    { chekcsum: "ignore" },
    TypeError,
    'options: unknown option "chekcsum", did you mean "checksum"?',
  ],
  [
    { Max_Length: 1 },
    TypeError,
    'options: unknown option "Max_Length", did you mean "maxLength"?',
  ],
  [{ timeout: 1 }, TypeError, 'options: unknown option "timeout"'],
  [
    { version: 2 },
    TypeError,
    'unknown option "version", did you mean "versions"?',
  ],
  [
    { checksum: "ignroe" },
    TypeError,
    'checksum: expected "verify" or "ignore", received "ignroe", did you mean "ignore"?',
  ],
  [
    { checksum: false },
    TypeError,
    'checksum: expected "verify" or "ignore", received false',
  ],
  [{ checksum: null }, TypeError, "checksum: "],
  [
    { tlvs: "Lenient" },
    TypeError,
    'received "Lenient", did you mean "lenient"?',
  ],
  [
    { mixedTcp6: 1 },
    TypeError,
    "mixedTcp6: expected true or false, received 1",
  ],
  [
    { unmap: "false" },
    TypeError,
    'unmap: expected true or false, received "false"',
  ],
  [{ versions: [] }, RangeError, "versions: must not be empty"],
  [
    { versions: 2 },
    TypeError,
    "versions: expected a list such as [1, 2], received 2",
  ],
  [{ versions: [1, 3] }, TypeError, "versions: expected 1 or 2, received 3"],
  [{ versions: ["2"] }, TypeError, 'versions: expected 1 or 2, received "2"'],
  [
    { maxLength: "4096" },
    TypeError,
    'maxLength: expected a number over 0, received "4096"',
  ],
  [
    { maxLength: 0 },
    RangeError,
    "maxLength: expected a number over 0, received 0",
  ],
  [{ maxLength: NaN }, RangeError, "maxLength: "],
  [null, TypeError, "options: expected an object, received [object Null]"],
  [1, TypeError, "options: expected an object, received 1"],
  [() => {}, TypeError, "options: expected an object"],
  [[], TypeError, 'options: unknown option "length"'],
  [new Map([["checksum", "ignore"]]), TypeError, "options: unknown option"],
  [Promise.resolve({}), TypeError, "options: unknown option"],
];

for (const [options, errorClass, message] of WRONG_DECODE) {
  Deno.test(`decode() refuses options with ${message}`, () => {
    const given: DecodeOptions = untyped(options);
    for (
      const run of [
        () => decode(LINE, given),
        () => bytesNeeded(LINE, given),
        () => decode(new Uint8Array(), given),
      ]
    ) {
      const error = assertThrows(run, errorClass);
      assert(error.message.startsWith("Cannot read "), error.message);
      assert(error.message.includes(message), error.message);
    }
  });
}

const WRONG_ENCODE: readonly Wrong[] = [
  [
    { checkSum: true },
    TypeError,
    'unknown option "checkSum", did you mean "checksum"?',
  ],
  [{ source: ENDS.source }, TypeError, 'unknown option "source"'],
  [
    { checksum: "yes" },
    TypeError,
    'checksum: expected true or false, received "yes"',
  ],
  [{ align: "4" }, TypeError, 'align: must be 1 to 65551, received "4"'],
  [{ align: 0 }, RangeError, "align: must be 1 to 65551, received 0"],
  [{ version: 3 }, RangeError, "version: must be 1 or 2, received 3"],
  [{ version: "1" }, RangeError, 'version: must be 1 or 2, received "1"'],
  [null, TypeError, "options: expected an object, received [object Null]"],
  [0, TypeError, "options: expected an object, received 0"],
];

for (const [options, errorClass, message] of WRONG_ENCODE) {
  Deno.test(`encode() refuses options with ${message}`, () => {
    const given: EncodeOptions = untyped(options);
    const target = new Uint8Array(64);
    for (const version of [1, 2] as const) {
      const header = { ...ENDS, version };
      assertThrows(() => encode(header, given), errorClass, message);
      assertThrows(
        () => encodeInto(header, target, given),
        errorClass,
        message,
      );
    }
    assertEquals(target, new Uint8Array(64));
  });
}

const WRONG_HEADERS: readonly (readonly [object, string])[] = [
  [
    { src: ENDS.source, dst: ENDS.destination },
    'unknown name "src", did you mean "source"?',
  ],
  [
    { ...ENDS, dst: ENDS.destination },
    'unknown name "dst", did you mean "destination"?',
  ],
  [{ ...ENDS, tlv: {} }, 'unknown name "tlv", did you mean "tlvs"?'],
  [{ ...ENDS, checksum: true }, 'unknown name "checksum"'],
  [{ ...ENDS, "\u009b\u202e": 1 }, 'unknown name "\\u009b\\u202e"'],
  [[ENDS], 'unknown name "0"'],
  [new URL("http://a"), "unknown name"],
];

for (const [header, message] of WRONG_HEADERS) {
  Deno.test(`encode() refuses a header with ${message}`, () => {
    const given: ProxyHeader = untyped(header);
    const whole = `Cannot read header: ${message}`;
    assertThrows(() => encode(given), TypeError, whole);
    assertThrows(() => encodeInto(given, new Uint8Array(64)), TypeError, whole);
    assertThrows(() => encode(given, { version: 1 }), TypeError, whole);
  });
}

Deno.test("encode() takes all that a decoded header has", () => {
  for (const bytes of [LINE, v2("2111", BLOCK4 + tlv("01", "6832"))]) {
    const info = decode(bytes);
    assert(info !== undefined);
    assertEquals(encode(info), bytes);
  }
});

Deno.test("encode() writes the version of its options, whatever the header says", () => {
  const v1 = decode(LINE);
  const other = decode(v2("2111", BLOCK4 + tlv("e0", "61")));
  assert(v1 !== undefined && other !== undefined);
  assertEquals(encode(v1, { version: 2 }), encode(ENDS));
  assertEquals(encode(ENDS, { version: 1 }), LINE);
  assertEquals(decode(encode(other, { version: 1 }))?.version, 1);
  assertEquals(encode({ ...ENDS, version: 1 }, { version: 2 }), encode(ENDS));
  const target = new Uint8Array(LINE.length);
  assertEquals(encodeInto(ENDS, target, { version: 1 }), LINE.length);
  assertEquals(target, LINE);
});

Deno.test("decodeTlvs() refuses options that are none", () => {
  const bytes = new Uint8Array();
  assertThrows(
    () => decodeTlvs(bytes, untyped({ partail: true })),
    TypeError,
    'unknown option "partail", did you mean "partial"?',
  );
  assertThrows(
    () => decodeTlvs(bytes, untyped({ partial: 1 })),
    TypeError,
    "partial: expected true or false, received 1",
  );
  assertThrows(() => decodeTlvs(bytes, untyped(null)), TypeError, "options");
});

/** Bytes that are refused unless the options are read. */
const WRONG_CRC = v2("2111", BLOCK4 + tlv("03", "00000001"));

Deno.test("decode() reads options by name, whoever owns them", () => {
  class Lenient implements DecodeOptions {
    get checksum(): "ignore" {
      return "ignore";
    }
  }
  class MoreLenient extends Lenient {
    maxLength = 35;
  }
  const hidden = Object.defineProperty({}, "checksum", { value: "ignore" });
  for (
    const options of [
      { checksum: "ignore" } as const,
      new Lenient(),
      new MoreLenient(),
      Object.create({ checksum: "ignore" }),
      Object.create(Object.create(null, { checksum: { value: "ignore" } })),
      Object.assign(Object.create(null), { checksum: "ignore" }),
      hidden,
      Object.freeze({ checksum: "ignore" }),
    ]
  ) {
    assertEquals(decode(WRONG_CRC, options)?.tlvs, { CRC32C: 1 });
  }
  assertThrows(() =>
    decode(v2("2111", BLOCK4 + tlv("04", "0000000000")), new MoreLenient())
  );
});

Deno.test("encode() reads a header by name, whoever owns it", () => {
  class Header implements ProxyHeader {
    get source() {
      return ENDS.source;
    }
    get destination() {
      return ENDS.destination;
    }
  }
  class Misspelt extends Header {
    get tlv() {
      return { ALPN: "h2" };
    }
  }
  assertEquals(encode(new Header()), encode(ENDS));
  assertEquals(encode(Object.create(ENDS)), encode(ENDS));
  assertThrows(
    () => encode(new Misspelt()),
    TypeError,
    'unknown name "tlv", did you mean "tlvs"?',
  );
});

Deno.test("decode() refuses unknown names of a class, enumerable or not", () => {
  class Method {
    checksum = "ignore" as const;
    verfiy() {}
  }
  class Getter {
    get maxLenght() {
      return 1;
    }
  }
  class Field extends Getter {
    logger = 1;
  }
  for (
    const [options, name] of [
      [new Method(), "verfiy"],
      [new Getter(), "maxLenght"],
      [new Field(), "logger"],
      [Object.create({ chekcsum: "ignore" }), "chekcsum"],
    ] as const
  ) {
    assertThrows(
      () => decode(LINE, untyped(options)),
      TypeError,
      `unknown option "${name}"`,
    );
  }
});

Deno.test("decode() reads options anew at each call, each once", () => {
  const options: { checksum: "ignore" | "verify" } = { checksum: "ignore" };
  assertEquals(decode(WRONG_CRC, options)?.tlvs, { CRC32C: 1 });
  options.checksum = "verify";
  assertThrows(() => decode(WRONG_CRC, options), Error, "CRC32C");
  Reflect.set(options, "chekcsum", "ignore");
  assertThrows(() => decode(WRONG_CRC, options), TypeError, "chekcsum");
  let reads = 0;
  const counted: DecodeOptions = {
    get checksum() {
      reads++;
      return "ignore" as const;
    },
  };
  decode(WRONG_CRC, counted);
  assertEquals(reads, 1);
});

Deno.test("decode() does not mind what a program has put on all objects", () => {
  Object.defineProperty(Object.prototype, "extra", {
    value: 1,
    enumerable: true,
    configurable: true,
  });
  try {
    assertEquals(decode(LINE, { unmap: true })?.version, 1);
    assertEquals(encode(ENDS, { version: 1 }), LINE);
    assertThrows(
      () => decode(LINE, untyped({ extra2: 1 })),
      TypeError,
      "extra2",
    );
  } finally {
    Reflect.deleteProperty(Object.prototype, "extra");
  }
});

Deno.test("checkNames() takes objects of another realm", () => {
  // As a realm has it: a root with the methods of all objects.
  const root = Object.create(null, { hasOwnProperty: { value: () => true } });
  const given = Object.assign(Object.create(root), { trust: 1 });
  checkNames("options", given, ["trust"]);
  assertThrows(
    () => checkNames("options", given, ["other"]),
    TypeError,
    "trust",
  );
});

Deno.test("checkOneOf() lists what it takes", () => {
  checkOneOf("send", 1, [1, 2]);
  assertThrows(
    () => checkOneOf("send", 3, [1]),
    TypeError,
    "Cannot read send: expected 1, received 3",
  );
  assertThrows(
    () => checkOneOf("header", "requrie", ["require", "optional", "discard"]),
    TypeError,
    'Cannot read header: expected "require", "optional" or "discard", received "requrie", did you mean "require"?',
  );
});

/** What is written, what is meant. */
const NEAR: readonly [string, string | undefined][] = [
  ["verfy", "verify"],
  ["verfiy", "verify"],
  ["varify", "verify"],
  ["Verify", "verify"],
  ["verifyy", "verify"],
  ["max-pending", "maxPending"],
  ["onreject", "onReject"],
  ["timout", "timeout"],
  ["src", "source"],
  ["dst", "destination"],
  ["dest", "destination"],
  ["x", undefined],
  ["", undefined],
  ["backlog", undefined],
  ["tsl", "tls"], // neighbours exchanged: one edit
  ["tlsx", "tls"],
  ["tlsxx", undefined],
  ["lst", undefined],
  ["s", undefined],
  ["v".repeat(10_000), undefined],
];

for (const [name, meant] of NEAR) {
  Deno.test(`suggestion() for ${name.slice(0, 20)} is ${meant}`, () => {
    const names = [
      "verify",
      "maxPending",
      "onReject",
      "timeout",
      "source",
      "destination",
      "tls",
    ];
    assertEquals(
      suggestion(name, names),
      meant === undefined ? "" : `, did you mean "${meant}"?`,
    );
  });
}

Deno.test("either() has words for any number of values", () => {
  assertEquals(either([]), "");
  assertEquals(either(["a"]), '"a"');
  assertEquals(either(["a", "b", 3]), '"a", "b" or 3');
});
