/**
 * LocalStates: the states of a hand-over's machines, as far as the checker and the runtime call the same things by the same
 * names. Pids and call ids are named differently, and a log that has records of shapes in it has other positions.
 */
export type LocalStates = Readonly<Record<string, string>>;

interface Snapshot {
  readonly value: unknown;
  readonly context: unknown;
}

const POSITIONS = ['position', 'cursor', 'offered', 'routedThrough', 'durableEnd', 'limit', 'seen', 'reach', 'announcedPosition'];
const CALLS = ['batchReplyTo', 'announcedBy'];
const PIDS = ['self', 'consumer'];
const MACHINES = ['collector', 'catchUp', 'consumer', 'snapshotter', 'materializer'];

/**
 * @param ends of the transactions in the log.
 * @param snapshotOf who lives, and has begun.
 */
export function localStates(ends: readonly number[], snapshotOf: (role: string) => Snapshot | undefined): LocalStates {
  const rename = (name: string, value: unknown): unknown => {
    if (PIDS.includes(name)) return undefined;
    if (CALLS.includes(name)) return value === null ? null : 'a call';
    return POSITIONS.includes(name) ? ends.filter((end) => end <= Number(value)).length : value;
  };
  const states = MACHINES.flatMap((role) => {
    const snapshot = snapshotOf(role);
    return snapshot === undefined ? [] : [[role, JSON.stringify([snapshot.value, snapshot.context], rename)] as const];
  });
  return Object.fromEntries(states);
}
