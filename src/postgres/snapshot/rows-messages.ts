/** What a RowsThread and its program say to each other: plain data, and fragments in memory that both see. */
import type { JoinedLines } from '../../model/joined-lines.ts';
import type { LineTemplate } from '../../model/line-template.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { DatabaseRefusedError, DatabaseUnreachableError, worldError } from '../connection/database-error.ts';

/** One query for the program. */
export interface RowsTask {
  readonly target: DatabaseTarget;
  readonly applicationName: string;
  /** SQL that begins its transaction, with the snapshot of ours. */
  readonly begin: string;
  /** A query without parameters. */
  readonly sql: string;
  readonly template: LineTemplate;
  readonly isBoolean: readonly boolean[];
}

export type FromThread =
  /** Its transaction sees what ours sees. */
  | { readonly type: 'begun' }
  /** The first row has come, or the end of an empty answer. */
  | { readonly type: 'first' }
  /** Stays as it is until it is said to be taken. */
  | { readonly type: 'fragment'; readonly lines: JoinedLines }
  /** No row is left; its transaction is still open, and holds the table as it is. */
  | { readonly type: 'read' }
  /** Its session has ended, and all is well: it may be given another task. */
  | { readonly type: 'free' }
  /** Nothing more comes of it. */
  | { readonly type: 'failed'; readonly error: ToldError };

/** A task, then `taken` behind each fragment, and `end` behind `read`. */
export type ToThread = RowsTask | 'taken' | 'end';

/** An error as it goes from one thread to another, where it would lose its class. */
export type ToldError =
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly detail: string | undefined }
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'other'; readonly message: string; readonly stack: string | undefined };

export function toldError(error: unknown): ToldError {
  const refused = worldError(error);
  if (refused instanceof DatabaseRefusedError) {
    return { kind: 'refused', code: refused.code, message: refused.message, detail: refused.detail };
  }
  if (refused !== undefined) return { kind: 'unreachable', message: refused.message };
  return error instanceof Error
    ? { kind: 'other', message: error.message, stack: error.stack }
    : { kind: 'other', message: String(error), stack: undefined };
}

export function errorOf(told: ToldError): Error {
  if (told.kind === 'refused') return new DatabaseRefusedError(told.code, told.message, told.detail);
  if (told.kind === 'unreachable') return new DatabaseUnreachableError(told.message);
  return Object.assign(new Error(told.message), told.stack === undefined ? {} : { stack: told.stack });
}
