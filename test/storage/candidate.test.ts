/** A sign that somebody stands by and reaches the database: only one that is given again and again counts. */
import { expect, test } from 'vitest';
import { Candidacy, CandidateWatch } from '../../src/storage/disk/candidate.ts';
import { candidatesPort } from '../../src/storage/disk/candidates-port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { openPort } from '../support/postgres/port-harness.ts';
import { MemoryDisk } from './memory-disk.ts';

const self = { host: 'there', pid: 7, start: '1', place: '' };

async function directory() {
  const memory = new MemoryDisk();
  const disk = memory.mount();
  await disk.makeDirectory('/data');
  const clock = new ManualClock();
  return { memory, disk, clock, candidacy: new Candidacy(disk, '/data', self), watch: new CandidateWatch(disk, '/data', clock) };
}

test('who gives sign after sign is seen, from the second one on', async () => {
  const { candidacy, watch } = await directory();
  const seen: unknown[] = [];

  for (let count = 0; count < 3; count += 1) {
    await candidacy.sign();
    seen.push(await watch.look());
  }

  expect(seen).toEqual([undefined, self, self]);
});

test('one that gives no more signs is not there, nor is one that has withdrawn', async () => {
  const { candidacy, watch, disk } = await directory();
  await candidacy.sign();
  await watch.look();

  const silent = await watch.look();
  await candidacy.withdraw();
  const withdrawn = await watch.look();

  expect([silent, withdrawn, await disk.list('/data')]).toEqual([undefined, undefined, []]);
});

test('a sign that came since a look of long ago may be of one that has ended', async () => {
  const { candidacy, watch, clock } = await directory();
  await candidacy.sign();
  await watch.look();
  await candidacy.sign();
  clock.advance(60_000);

  const late = await watch.look();
  await candidacy.sign();

  expect([late, await watch.look()]).toEqual([undefined, self]);
});

test('damaged bytes are nobody', async () => {
  const { candidacy, watch, disk } = await directory();
  await candidacy.sign();
  await watch.look();
  const file = await disk.open('/data/candidate', 'write');
  await file.overwrite(0, Buffer.from('?'));
  await file.close();

  expect(await watch.look()).toBeUndefined();
});

test('of one that never gave a sign nothing is taken back', async () => {
  const { disk, candidacy } = await directory();
  const other = new Candidacy(disk, '/data', { ...self, pid: 8 });
  await candidacy.sign();

  await other.withdraw();

  expect(await disk.list('/data')).toEqual(['candidate']);
});

test('the port sees nobody where the disk says no, and says when room is made', async () => {
  const { memory, disk, clock, candidacy } = await directory();
  let made = 0;
  const port = await openPort(candidatesPort({ disk, directory: '/data', clock, makeRoom: () => void (made += 1) }));
  const told: unknown[] = [];

  for (const fail of [false, false, true]) {
    await candidacy.sign();
    if (fail) memory.fail('open', 'EIO');
    told.push(await port.ask({ type: 'seeCandidate' }));
  }
  told.push(await port.ask({ type: 'makeRoom' }));

  expect([told, made]).toEqual([
    [{ type: 'candidate.unseen' }, { type: 'candidate.seen', host: 'there', pid: 7 }, { type: 'candidate.unseen' }, { type: 'room.made' }],
    1,
  ]);
});
