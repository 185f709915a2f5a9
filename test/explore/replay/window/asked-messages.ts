/**
 * AskedMessages: what one transition of a machine asks to send. To whom is the runtime's affair, which knows names and callers; so a
 * message is compared by what it says.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EffectParams } from '../../../../src/otp/effects.ts';
import type { Message } from '../../../../src/otp/process.ts';
import type { Action } from '../../checker/performance.ts';

export interface SentMessage {
  readonly type: string;
  readonly fields: object;
}

type Sending = 'send' | 'sendToEach' | 'call' | 'reply' | 'replyToEach' | 'multicall';
type Asking = { readonly [Name in Sending]: (params: EffectParams[Name]) => Message };

const ASKING: Asking = {
  send: ({ event }) => event,
  sendToEach: ({ event }) => event,
  call: ({ request }) => request,
  reply: ({ event }) => event,
  replyToEach: ({ event }) => event,
  multicall: ({ request }) => request,
};
/** Effects of supervisors that answer, or act, from their table: what they send is not in their parameters. */
const FROM_TABLES: ReadonlySet<string> = new Set(['answerRequests', 'answerChildren', 'answerCount', 'async']);
/** What the runtime tells a parent of a start. */
const OF_RUNTIME = /^(STARTED|IGNORED)$/;

export class AskedMessages {
  private readonly asked: readonly Message[];
  private readonly sendsFromTables: boolean;

  constructor(actions: readonly Action[]) {
    this.asked = actions.flatMap(({ type, params }) => (isSending(type) ? [(ASKING[type] as (of: unknown) => Message)(params)] : []));
    this.sendsFromTables = actions.some(({ type }) => FROM_TABLES.has(type));
  }

  /** @returns the first of those that were sent which is not asked for here. */
  firstUnasked(sent: readonly SentMessage[]): SentMessage | undefined {
    return sent.find((message) => !OF_RUNTIME.test(message.type) && !this.sendsFromTables && !this.isAsked(message));
  }

  private isAsked({ type, fields }: SentMessage): boolean {
    const sent = withoutCaller({ ...fields, type });
    return this.asked.some((message) => message.type === type && isSameJson(withoutCaller(message), sent));
  }
}

/** A call has a number of its own each time. */
function withoutCaller(fields: object): object {
  return { ...fields, replyTo: undefined };
}

export function isSameJson(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

/** As a file would have it: without what is undefined. */
export function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

function isSending(type: string): type is Sending {
  return Object.hasOwn(ASKING, type);
}
