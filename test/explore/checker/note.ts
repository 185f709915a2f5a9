/**
 * Note: one thing that happened in a system. A turn is one that somebody chose, by names that every run has: a chart draws it, a
 * scenario keeps it, and a runtime takes it again.
 */
import type { ExitReason } from '../../../src/otp/process.ts';

/** `role` and `to` name who is at it, whichever incarnation; `from` is the address of the sender. */
export type Turn =
  /** The first of what is under way from one to the other arrives; it is told in the words of `describeSignal`. */
  | { readonly deliver: string; readonly from: string; readonly to: string }
  /** A process handles the next of what it has inserted or postponed. */
  | { readonly goOn: string; readonly role: string }
  | { readonly happen: string }
  | { readonly kill: string }
  | { readonly timeout: string; readonly role: string }
  /** Nobody of a multicall of this word has answered for too long. */
  | { readonly silence: string; readonly role: string };

export type Note = Turn | { readonly end: string; readonly reason: ExitReason };

/** What was chosen; how somebody ended came of it. */
export function turnsOf(notes: readonly Note[]): readonly Turn[] {
  return notes.filter((note): note is Turn => !('end' in note));
}
