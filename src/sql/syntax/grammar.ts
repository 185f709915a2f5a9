/**
 * Postgres's own grammar: its parser and its scanner, with their errors as refusals. Places in a text are bytes.
 *
 * The scanner answers in JSON without escaping control characters, and the answer about a string that holds one cannot be
 * read. So it is given blanks in their place: a token ends where it did, since outside of strings and comments the parser
 * takes such a character for white space or for an error.
 */
import { hasSqlDetails, parseSync, scanSync, type RawStmt, type ScanToken } from 'libpg-query';
import { WhereRefusal } from '../where-refusal.ts';

/** All that are one byte, but for the ends of lines, at which a comment ends. */
const UNREADABLE = /(?![\t\n\r\u0080-\u009f])\p{Cc}/gu;

/** @throws {WhereRefusal} */
export function statementsOf(sql: string): readonly RawStmt[] {
  return grammatical(() => parseSync(sql)).stmts ?? [];
}

/** @throws {WhereRefusal} for a text that does not fall into tokens. */
export function tokensOf(sql: string): readonly ScanToken[] {
  try {
    return scanSync(sql.replaceAll(UNREADABLE, ' ')).tokens;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // A text that does not fall into tokens: the scanner's own answer cannot be read, and the parser, which gives up
    // at the same place before it has a tree, says where and why.
    statementsOf(sql);
    return [];
  }
}

/** The position counts what stands before the filter, as on the wire it does. */
function grammatical<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!hasSqlDetails(error)) throw error;
    throw new WhereRefusal(`At location ${error.sqlDetails?.cursorPosition ?? 0}: ${error.message}`);
  }
}
