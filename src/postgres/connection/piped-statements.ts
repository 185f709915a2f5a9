/**
 * PipedStatements: prepared questions among other messages, in one write. Those that a session does not know yet are prepared on the way,
 * under names of their own, beside those that `pg` prepares there.
 */
import type pg from 'pg';
import { invariant } from '../../base/invariant.ts';
import type { Question } from './prepared-question.ts';
import { isPrepared, notePrepared, prepareMessage, runMessage } from './session-statements.ts';

export const piped = ({ name, text }: Question): Question => ({ name: `${name}_piped`, text });

export class PipedStatements {
  /** Names of what is parsed, in order; undefined for what has none. */
  private readonly parsed: (string | undefined)[] = [];

  constructor(private readonly client: pg.ClientBase) {}

  messages(question: Question, values: readonly string[] = []): readonly Uint8Array[] {
    if (isPrepared(this.client, question.name)) return [runMessage(question, values)];
    this.parsed.push(question.name);
    return [prepareMessage(question), runMessage(question, values)];
  }

  /** A query without a name is parsed between those before and those behind. */
  passUnnamed(): void {
    this.parsed.push(undefined);
  }

  /** Postgres has said so of the next one. */
  noteParsed(): void {
    invariant(this.parsed.length > 0, 'no more is parsed than was asked for');
    const name = this.parsed.shift();
    if (name !== undefined) notePrepared(this.client, name);
  }
}
