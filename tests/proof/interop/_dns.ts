/**
 * As much of DNS as it takes to ask for an address and to answer.
 *
 * @module
 */

import { concat } from "@std/bytes";
import type { Exchange } from "./_upstream.ts";

const HEADER_LENGTH = 12;

/** The address of every answer. */
export const ANSWER = "192.0.2.53";

/** Asks for the address of `who.`. */
export const QUERY: Uint8Array<ArrayBuffer> = Uint8Array.from([
  ...[0x12, 0x34, 0x01, 0x00], // an id, and that recursion is wanted
  ...[0, 1, 0, 0, 0, 0, 0, 0], // a question
  ...[3, 0x77, 0x68, 0x6f, 0, 0, 1, 0, 1], // who. IN A
]);

/** Answers any question with {@link ANSWER}. */
export function answer(query: Uint8Array): Uint8Array {
  const question = query.subarray(HEADER_LENGTH, endOfQuestion(query));
  return Uint8Array.from([
    ...query.subarray(0, 2),
    ...[0x81, 0x80], // an answer without an error
    ...[0, 1, 0, 1, 0, 0, 0, 0], // to a question, with a record
    ...question,
    ...[0xc0, HEADER_LENGTH, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4],
    ...ANSWER.split(".").map(Number),
  ]);
}

/** Whether a message is {@link ANSWER}. */
export function isAnswer(message: Uint8Array): boolean {
  return message.subarray(-4).join(".") === ANSWER;
}

/** A message as it is sent over TCP: behind its length. */
export function framed(message: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat([
    Uint8Array.of(message.length >> 8, message.length & 0xff),
    message,
  ]);
}

/** A question over TCP. */
export const DNS: Exchange = {
  isWhole: (request) =>
    request.length > 2 &&
    request.length >=
      2 + (request.charCodeAt(0) << 8) + request.charCodeAt(1),
  answer: (request) => framed(answer(request.subarray(2))),
};

/** Behind the name, its type and class. */
function endOfQuestion(query: Uint8Array): number {
  let at = HEADER_LENGTH;
  for (let length = query[at]; length; length = query[at]) at += length + 1;
  return at + 5;
}
