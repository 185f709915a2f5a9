/**
 * HealthCause: why the service is not active, or late, in one sentence for whoever runs it.
 *
 * Who asks /v1/health needs no secret. So what names others (an address, a role, a host in an error of Postgres) is left out unless the
 * secret was given; what is waited for, since when and when it is tried again is for everybody.
 */
import type { LockHolder } from '../postgres/connection/lock-holder.ts';
import type { ServiceCondition } from '../actors/status-monitor.ts';
import type { SlowWork } from '../storage/disk/disk-standing.ts';
import { redactedText } from './redaction.ts';
import type { Trouble, Troubled } from './service-troubles.ts';

export interface CauseSource {
  /** In the order in which they are waited for. */
  readonly missing: readonly ServiceCondition[];
  readonly trouble: (troubled: Troubled) => Trouble | undefined;
  readonly nowMs: number;
  readonly slot: string;
  /** What the disk has been at for long. */
  readonly slow: SlowWork | undefined;
  /** Undefined when Postgres does not say. */
  readonly holder: LockHolder | 'nobody' | undefined;
  /** That is a session which this service has lost, and Postgres has not. */
  readonly isHolderOurs?: boolean;
  /** Since when the connections are closed because nobody uses the database; undefined where they are not. */
  readonly asleepSinceMicros: number | undefined;
  /** Since when they were closed, while what was missed is being followed; undefined otherwise. */
  readonly missedSinceMicros: number | undefined;
  /** The state of the replication client. */
  readonly replication: string;
  /** For whom the making of a replication slot waits, each in words; empty when nobody is known. */
  readonly slotAwaits: readonly string[];
  /** How many stored shapes are back, and how many there are. */
  restored(): { readonly count: number; readonly of: number };
}

export const TROUBLES: Readonly<Record<Troubled, string>> = {
  storage: 'the disk refuses what is to be stored',
  lock: 'Postgres cannot be asked for the lock',
  replication: 'the replication stream is broken',
  pools: 'Postgres does not answer queries',
  sessions: 'the pooler lends no session',
};
const TROUBLED = ['storage', 'lock', 'replication', 'pools'] as const satisfies readonly ServiceCondition[];

const REPLICATION: Readonly<Record<string, string>> = {
  disowning: 'a new replication slot is being made',
  creatingSlot:
    'a new replication slot is being made: Postgres makes it when every transaction has ended that was open before, ' +
    'prepared ones among them',
  purging: 'the replication slot was made anew, so all stored shapes are being removed',
  owning: 'the replication slot was made anew',
};

/** @param isTrusted the secret was given, or there is none. @returns undefined when nothing is missing, and nothing takes long. */
export function healthCause(source: CauseSource, isTrusted: boolean): string | undefined {
  const { missing, asleepSinceMicros, missedSinceMicros } = source;
  const [first] = missing;
  if (asleepSinceMicros !== undefined) return asleepText(asleepSinceMicros);
  if (first === undefined && missedSinceMicros !== undefined) return missedText(missedSinceMicros);
  if (first === undefined) return source.slow === undefined ? withheldText(source) : slowText(source.slow, isTrusted);
  // Postgres answers, and names who has the lock: then its last refusal, or our loss of it, is over, and only the wait is left.
  if (first === 'lock' && typeof source.holder === 'object') return lockText(source, isTrusted);
  return worstTrouble(source, isTrusted) ?? waitText(first, source, isTrusted);
}

/** The first of those that stand in the way, but one of which an error was told before one that was only lost. */
function worstTrouble({ missing, trouble, nowMs }: CauseSource, isTrusted: boolean): string | undefined {
  const standing = TROUBLED.flatMap((troubled) => {
    const found = missing.includes(troubled) ? trouble(troubled) : undefined;
    return found === undefined ? [] : [{ what: TROUBLES[troubled], ...found }];
  });
  const worst = standing.find(({ message }) => message !== undefined) ?? standing[0];
  return worst && troubleText(worst.what, worst, nowMs, isTrusted);
}

export function troubleText(what: string, trouble: Trouble, nowMs: number, isTrusted: boolean): string {
  const { sinceMicros, meaning, message, retryAtMs } = trouble;
  const known = [...(meaning === undefined ? [] : [meaning]), ...(isTrusted && message !== undefined ? [redactedText(message)] : [])];
  const why = known.length === 0 ? '' : `: ${known.join('; ')}`;
  const leftSeconds = retryAtMs === undefined ? 0 : Math.ceil((retryAtMs - nowMs) / 1000);
  const next = leftSeconds > 0 ? `the next attempt is in ${leftSeconds} s` : 'an attempt is under way';
  return `${what} since ${new Date(sinceMicros / 1000).toISOString()}${why}; ${next}`;
}

function waitText(condition: ServiceCondition, source: CauseSource, isTrusted: boolean): string {
  switch (condition) {
    case 'storage':
      return 'it is being found out whether the disk takes what is to be stored';
    case 'lock':
      return lockText(source, isTrusted);
    case 'replication':
      return replicationText(source, isTrusted);
    case 'pools':
      return 'the connections to Postgres are being opened';
    case 'shapes':
    case 'consumers': {
      const { count, of } = source.restored();
      return `stored shapes are being brought back: ${count} of ${of}`;
    }
  }
}

function replicationText({ replication, slotAwaits }: CauseSource, isTrusted: boolean): string {
  const text = REPLICATION[replication] ?? 'the replication stream is being started';
  return isTrusted && slotAwaits.length > 0 ? `${text}; it waits for ${slotAwaits.join('; for ')}` : text;
}

function asleepText(sinceMicros: number): string {
  const since = new Date(sinceMicros / 1000).toISOString();
  return `the connections to Postgres are closed since ${since}, because nobody used it; the next request for a shape opens them`;
}

function missedText(sinceMicros: number): string {
  const since = new Date(sinceMicros / 1000).toISOString();
  const what = `what was changed since ${since}, while the connections to Postgres were closed`;
  return `${what}, is being followed; requests are refused until then`;
}

function withheldText({ trouble }: CauseSource): string | undefined {
  const withheld = trouble('sessions');
  if (withheld === undefined) return undefined;
  const since = new Date(withheld.sinceMicros / 1000).toISOString();
  return `${TROUBLES.sessions} since ${since}: it is paused, or all of its sessions are at work; new shapes are refused until it does`;
}

function slowText({ operation, path, forMs }: SlowWork, isTrusted: boolean): string {
  const work = isTrusted ? `${operation} of ${path}` : operation;
  return `the disk is slow: it has been at one ${work} for ${Math.floor(forMs / 1000)} s; nothing is lost, and what is new comes late`;
}

function lockText({ holder, isHolderOurs, slot, missing }: CauseSource, isTrusted: boolean): string {
  if (holder === 'nobody') return 'Postgres is being asked for the lock';
  const waits = isHolderOurs === true ? 'a session that this service has lost still holds the lock' : 'another instance holds the lock';
  if (holder === undefined && missing.includes('pools')) return 'an answer of Postgres is waited for';
  if (holder === undefined) return `the lock is waited for: ${waits}, as a rule`;
  if (!isTrusted) return `${waits}; this one goes on when that has ended`;
  return `${waits} of ${slot}: ${sessionText(holder)}; this one goes on when that has ended`;
}

export function sessionText({ pid, application, address, since }: LockHolder): string {
  const known = [
    `process ${pid} of Postgres`,
    ...(application === undefined ? [] : [`application ${JSON.stringify(application)}`]),
    ...(address === undefined ? [] : [`from ${address}`]),
    ...(since === undefined ? [] : [`connected since ${since.toISOString()}`]),
  ];
  return known.join(', ');
}
