/** The open files of the process: how many there may be, and that clients leave some to whoever follows the database. */
import fc from 'fast-check';
import pino from 'pino';
import { expect, test } from 'vitest';
import { shareOpenFiles } from '../../src/service/open-files.ts';
import { limitIn, openFilesLimit } from '../../src/service/open-files-limit.ts';
import { storageOptions } from '../../src/service/reached-storage.ts';
import { configurationOf } from '../../src/service/service-options.ts';
import { turnedAwayTold } from '../../src/service/wiring/edge.ts';
import { UNWATCHED } from '../../src/service/wiring/telemetry.ts';
import { systemWorld } from '../../src/service/world.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max processes             95832                95832                processes 
Max open files            1024                 524288               files     
Max locked memory         8388608              8388608              bytes     
`;

test.each([
  ['a number', LIMITS, 1024],
  ['unlimited', LIMITS.replace('1024  ', 'unlimited'), Infinity],
  ['not told', '', Infinity],
])('a limit that is %s', (_what, text, limit) => {
  expect(limitIn(text)).toBe(limit);
});

test('this process knows its own where the system tells of it', () => {
  expect([openFilesLimit('/nowhere/limits'), openFilesLimit() > 0]).toEqual([Infinity, true]);
});

test('whatever the limit, clients get at least half of it, and files that are read less than what is kept from them', () => {
  const limits = fc.oneof(fc.integer({ min: 16, max: 2_000_000 }), fc.constant(Infinity));
  fc.assert(fc.property(limits, (max) => {
    const { connectionsMax, readFiles: { idle, uses } } = shareOpenFiles(max);
    const kept = Math.min(512, Math.floor(max / 2));
    expect({ isHalf: connectionsMax >= max / 2, isKept: connectionsMax === max - kept, areFew: idle + uses <= kept / 3, isOne: uses >= 1 })
      .toEqual({ isHalf: true, isKept: true, areFew: true, isOne: true });
  }));
});

test('who was turned away is told of when no file can be opened, not even the one that tells the limit', () => {
  const lines: string[] = [];
  let files = 1;
  const openFilesMax = (): number => {
    files -= 1;
    if (files < 0) throw new Error('EMFILE: too many open files');
    return 1_024;
  };
  const logger = pino({}, { write: (line: string) => lines.push(line) });
  const tell = turnedAwayTold({ logger, world: { ...systemWorld, openFilesMax }, watches: UNWATCHED });
  tell(1);
  tell(3);

  const told = lines.map((line): unknown => JSON.parse(line));
  expect(told).toMatchObject([1, 3].map((connections) => ({ connections, connectionsMax: 512, openFilesMax: 1_024 })));
});

test('the storage is opened with its share of them', () => {
  const configuration = configurationOf({ databaseUrl: 'postgresql://nobody@127.0.0.1/none', insecure: true });
  const world = { ...systemWorld, openFilesMax: () => 240 };
  const { readFiles } = storageOptions({ configuration, world, watch: {}, logger: pino({ enabled: false }) });

  expect(readFiles).toEqual({ idle: 10, uses: 20 });
});
