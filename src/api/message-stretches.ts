/**
 * MessageStretches: the messages of an answer, parsed stretch by stretch as they are taken. An answer has ten megabytes and more, and
 * nobody else has a turn while somebody parses.
 */
import { EntrySeparators } from '../model/entry-separators.ts';
import type { ShapeMessage } from './shape-message.ts';

/** A stretch ends with the first message behind so many bytes: some two milliseconds of work. */
export const STRETCH_BYTES = 256 * 1024;

/** @param answer a JSON array, whole. */
export function* messageStretches(answer: Buffer): Generator<readonly ShapeMessage[], void, undefined> {
  const entries = answer.subarray(1, -1); // Without the brackets.
  const separators = new EntrySeparators();
  for (let from = 0; from < entries.length; ) {
    let end = separators.next(entries, from);
    while (end < entries.length && end - from < STRETCH_BYTES) end = separators.next(entries, end + 1);
    yield JSON.parse(`[${entries.toString('utf8', from, end)}]`) as ShapeMessage[];
    from = end + 1;
  }
}
