/** Bytes with a view of them, by which all fields of more than one byte are read and written. */
export interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
}

/** Makes a block. One that stays costs nothing to read by; a view for each header takes as long as to decode it. */
export function newBlock(length: number): Block {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** A header that was made: the first bytes of a block. */
export interface Composed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In bytes. */
  readonly length: number;
}

const { view: NO_BYTES } = newBlock(0);

/** A view of bytes: a new one, unless there are none, whose buffer may be detached. */
export function viewOf(
  { buffer, byteOffset, byteLength }: Uint8Array,
): DataView {
  return byteLength === 0
    ? NO_BYTES
    : new DataView(buffer, byteOffset, byteLength);
}
