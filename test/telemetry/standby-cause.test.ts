/** Why an instance waits that has found another one in its storage, and what of it is for everybody. */
import { expect, test } from 'vitest';
import { standbyCause, type StandbySource } from '../../src/telemetry/standby-cause.ts';

const SOURCE: StandbySource = {
  directory: { by: { host: 'there', pid: 7 }, sinceMicros: 0 }, isOpening: false, session: undefined, pools: undefined, nowMs: 0,
};
const WAITS = 'another instance works in the storage';
const SERVES = '; this one serves what is stored, and takes over when that has ended';
const OPENS = 'the instance that worked in the storage has gone; this one takes it over, and serves what was stored until it is open';

test.each([
  ['waits', {}, `${WAITS}: process 7 on there, seen there since 1970-01-01T00:00:00.000Z${SERVES}`, `${WAITS}${SERVES}`],
  ['has yet to look', { directory: undefined }, `${WAITS}${SERVES}`, `${WAITS}${SERVES}`],
  ['opens the storage', { isOpening: true }, OPENS, OPENS],
])('one that %s says so', (_, source, trusted, untrusted) => {
  expect([true, false].map((isTrusted) => standbyCause({ ...SOURCE, ...source }, isTrusted))).toEqual([trusted, untrusted]);
});
