/**
 * Outcomes: what processes asked for, and what they were told. Each question names its outcome by a word of its own, so
 * from the trace alone it can be said who was told twice, and who was never told although nothing moves any more.
 */
import type { Message, Pid } from '../../../src/otp/process.ts';
import { effectsOf, flatten, type Chronicle } from './chronicle.ts';

interface Asked {
  readonly type: string;
  readonly by: string;
  readonly as: string;
  /** The number of the record. */
  readonly at: number;
  /** The process that it is about. */
  readonly of: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface Heard {
  readonly by: string;
  readonly at: number;
  readonly message: Message;
}

interface Hearsay {
  readonly asked: readonly Asked[];
  readonly heard: readonly Heard[];
  readonly isAlive: (pid: string) => boolean;
  readonly isAwake: (pid: string) => boolean;
}

export function brokenPromises(told: Chronicle): readonly string[] {
  const hearsay = hearsayOf(told);
  const client = told.records.find((record) => record.type === 'deliver' && record.to.startsWith('client#'));
  return [
    ...hearsay.asked.filter(({ by }) => by.startsWith('root')).flatMap((asked) => wrongOutcome(asked, hearsay)),
    ...(client?.type === 'deliver' ? unansweredRequests(client.to, hearsay) : []),
  ];
}

/** At the time when nothing moved any more, and everybody who was to be told had been. */
function hearsayOf({ records, restedAt, alive }: Chronicle): Hearsay {
  const asked: Asked[] = [];
  const heard: Heard[] = [];
  const ended = new Set<string>();
  for (const record of records) {
    if (record.n > restedAt) break;
    if (record.type === 'exit') ended.add(record.process);
    if (record.type === 'send') asked.push(...impliedMonitor(asked, record.message, record.to, record.n));
    if (record.type !== 'deliver') continue;
    const { to: by, message, n: at } = record;
    heard.push({ by, at, message });
    // What a process is told as its very next event was never sent.
    if (record.from === by) asked.push(...impliedMonitor(asked, message, by, at));
    for (const { type, params } of effectsOf(message)) {
      asked.push({ type, by, at, params, as: String(params.as), of: String(params.process ?? params.to) });
    }
  }
  const awake = new Set<string>(alive.flatMap(flatten).flatMap(({ pid, state }) => (state === 'awake' ? [pid] : [])));
  return { asked, heard, isAlive: (pid) => !ended.has(pid), isAwake: (pid) => awake.has(pid) };
}

/** A monitor that was asked for with a process is made with it, one that was asked for with a start when that is acknowledged. */
function impliedMonitor(asked: readonly Asked[], { type, process }: Message, by: string, at: number): readonly Asked[] {
  const wish = asked.find(
    (other) => other.by === by && other.params.monitor === true && type === `${other.as}.${other.type === 'spawn' ? 'spawned' : 'started'}`,
  );
  return wish === undefined ? [] : [{ ...wish, type: 'monitor', of: String(process), at: wish.type === 'spawn' ? wish.at : at }];
}

function wrongOutcome(question: Asked, hearsay: Hearsay): readonly string[] {
  const { type, by, as } = question;
  const count = outcomesOf(question, hearsay).length;
  const isOwed = hearsay.isAlive(by) && owes(question, hearsay);
  if (count > 1) return [`${by} was told ${count} times of ${type} ${as}`];
  return isOwed && count === 0 ? [`${by} waits for ${type} ${as}`] : tooMuch(question, hearsay);
}

function outcomesOf({ type, by, as }: Asked, { heard }: Hearsay): readonly Heard[] {
  const words = (OUTCOMES[type] ?? []).map((word) => `${as}.${word}`);
  return heard.filter((one) => one.by === by && words.includes(one.message.type));
}

const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  monitor: ['down'],
  call: ['answered', 'failed'],
  spawn: ['spawned'],
  start: ['started', 'failed'],
};

function owes(question: Asked, hearsay: Hearsay): boolean {
  const { type, of, params } = question;
  switch (type) {
    case 'spawn':
    case 'start':
      return true;
    case 'monitor':
      return !hearsay.isAlive(of) && takenBackAt(question, hearsay) === undefined;
    case 'call':
      // Its monitor has told the caller already.
      if (hasHeardOfEnd(question, hearsay)) return false;
      return !hearsay.isAlive(of) || params.timeoutMs !== undefined || (isQuestion(params.request) && hearsay.isAwake(of));
    default:
      return false;
  }
}

/** A DOWN of one that lives, or one that was not wanted any more. */
function tooMuch(question: Asked, hearsay: Hearsay): readonly string[] {
  if (question.type !== 'monitor') return [];
  const { by, of, as } = question;
  const takenBack = takenBackAt(question, hearsay) ?? Infinity;
  const wrong = outcomesOf(question, hearsay).filter(({ at }) => hearsay.isAlive(of) || at > takenBack);
  return wrong.map(() => `${by} was told of the end of ${of} by ${as}`);
}

function takenBackAt({ by, of, at }: Asked, { asked }: Hearsay): number | undefined {
  return asked.find((other) => other.type === 'demonitor' && other.by === by && other.of === of && other.at > at)?.at;
}

function hasHeardOfEnd({ by, of }: Asked, { heard }: Hearsay): boolean {
  return heard.some((one) => one.by === by && one.message.type.endsWith('.down') && one.message.process === of);
}

function isQuestion(request: unknown): boolean {
  return typeof request === 'object' && request !== null && 'type' in request && request.type === 'ask';
}

/** A supervisor answers everything, or ends. */
function unansweredRequests(client: Pid, { asked, heard }: Hearsay): readonly string[] {
  const requests = asked.filter(({ by, type }) => by === client && type === 'call').length;
  const outcomes = heard.filter(
    ({ by, message }) => by === client && (message.type.startsWith('child.') || message.type.endsWith('.failed')),
  ).length;
  return requests === outcomes ? [] : [`${requests} requests of supervisors had ${outcomes} outcomes`];
}
