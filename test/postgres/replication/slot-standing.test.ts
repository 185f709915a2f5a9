/** Whose a slot is, and whether it goes on where the storage ends. */
import { expect, test } from 'vitest';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { StreamSource } from '../../../src/model/stream-source.ts';
import {
  NOTHING_STORED, standingOf, type FoundDatabase, type FoundSlot, type SlotSettings, type StoredStream,
} from '../../../src/postgres/replication/slot-standing.ts';

const source: StreamSource = { systemId: '7', timeline: '2', database: 'items', slot: 'electric_slot_default' };
const slot: FoundSlot = {
  plugin: 'pgoutput', database: 'items', isTemporary: false, isTwoPhase: false, activePid: null, isLost: false, confirmedLsn: '200' as Lsn,
};
const publication = { isMarked: true, isComplete: true, version: '16384.700' };
const found: FoundDatabase = { source, history: new Map([['1', '400' as Lsn]]), walLsn: '900' as Lsn, slot, publication };
const stored: StoredStream = { source, heldLsn: '300' as Lsn, seenLsn: () => '401' as Lsn };

interface Case {
  readonly found?: Partial<FoundDatabase>;
  readonly slot?: Partial<FoundSlot>;
  readonly stored?: Partial<StoredStream>;
  readonly settings?: SlotSettings;
}

function judge(change: Case) {
  const inDatabase = { ...found, slot: { ...slot, ...change.slot }, ...change.found };
  return standingOf(inDatabase, { ...stored, ...change.stored }, change.settings ?? {});
}

const unmarked = { publication: { ...publication, isMarked: false } };
const ofAnother = (difference: Partial<StreamSource>): Partial<StoredStream> => ({ source: { ...source, ...difference } });

test.each<[string, Case]>([
  ['has confirmed less than the storage holds', {}],
  ['has confirmed just that', { slot: { confirmedLsn: '300' as Lsn } }],
  ['lost its mark', { found: unmarked }],
  ['has the publication that its stream came through', { stored: ofAnother({ publication: publication.version }) }],
])('a slot goes on when it %s', (_, change) => {
  expect(judge(change)).toEqual({ standing: 'continued', hasSwitched: false });
});

test('a slot goes on over a switch of the timeline when the old one was left behind all that is stored', () => {
  const onTimeline = (timeline: string, seen: string) =>
    judge({ stored: { ...ofAnother({ timeline }), seenLsn: () => seen as Lsn } });

  expect([onTimeline('1', '400'), onTimeline('1', '401').standing, onTimeline('3', '1').standing]).toEqual([
    { standing: 'continued', hasSwitched: true }, 'lost', 'lost',
  ]);
});

test('where nobody knows what is stored, nothing of it goes on over a switch of the timeline', () => {
  const { seenLsn: _, ...unknown } = stored;

  expect(standingOf(found, { ...unknown, source: { ...source, timeline: '1' } }, {}).standing).toBe('lost');
});

test.each<[string, Case]>([
  ['there is none', { found: { slot: undefined } }],
  ['there is one that is about to end with its connection', { slot: { isTemporary: true }, settings: { isSlotTemporary: true } }],
])('an empty storage begins anew when %s', (_, change) => {
  const why = 'there is no replication slot "electric_slot_default" yet';
  expect(judge({ ...change, stored: NOTHING_STORED })).toEqual({ standing: 'new', why });
});

test.each<[string, string, Case]>([
  ['Postgres ends each stream at the same place', 'comes to next', { stored: { untellable: 'invalid byte sequence' } }],
  ['the slot is gone', 'is gone', { found: { slot: undefined } }],
  ['the slot ended with its connection', 'as it was told to', { found: { slot: undefined }, settings: { isSlotTemporary: true } }],
  ['the slot shall be temporary', 'is to end with its connection', { settings: { isSlotTemporary: true } }],
  [
    'the slot has confirmed more',
    'moved on without this storage: it had confirmed 0/12D, and the WAL is at 0/384, and this storage has what came up to 0/12C',
    { slot: { confirmedLsn: '301' as Lsn } },
  ],
  ['Postgres has given the slot up', 'its wal_status is lost', { slot: { isLost: true } }],
  ['the publication is gone', 'the publication is gone', { found: { publication: undefined } }],
  ['the publication leaves something out', 'leaves out INSERT, UPDATE', { found: { publication: { ...publication, isComplete: false } } }],
  ['the publication is another version', 'altered or made anew', { stored: ofAnother({ publication: '16384.600' }) }],
  ['the making of the slot was cut off', 'was being made', { stored: { heldLsn: '0' as Lsn }, found: unmarked }],
  ['the WAL ends before what is held', 'put back: its WAL is at 0/12B', { found: { walLsn: '299' as Lsn } }],
  ['the system is another one', 'another database system, 8;', { stored: ofAnother({ systemId: '8' }) }],
  ['the database is another one', 'another database, "orders";', { stored: ofAnother({ database: 'orders' }) }],
  ['the slot is another one', 'another replication slot, "mine";', { stored: ofAnother({ slot: 'mine' }) }],
  [
    'the timeline has switched', 'to timeline 1, which was left at 0/190, and has seen what came up to 0/191',
    { stored: ofAnother({ timeline: '1' }) },
  ],
  [
    'nobody knows where the timeline was left', 'belongs to timeline 1: it was',
    { stored: ofAnother({ timeline: '1' }), found: { history: new Map() } },
  ],
  ['the timeline has switched, and no mark is there', 'on timeline 2', { stored: ofAnother({ timeline: '1' }), found: unmarked }],
  [
    'the storage is empty',
    'for another storage of Armature, which loses what lies between: it had confirmed 0/C8, and the WAL is at 0/384',
    { stored: NOTHING_STORED },
  ],
  ['the slot of somebody else may go', 'for somebody else', { stored: NOTHING_STORED, found: unmarked, settings: { takesOverSlot: true } }],
])('nothing that is stored is carried on when %s', (_, why, change) => {
  expect(judge(change)).toEqual({ standing: 'lost', why: expect.stringContaining(why) });
});

const afterDamage = (damaged: Partial<StoredStream>): Case => ({ stored: { ...NOTHING_STORED, damaged: { ...stored, ...damaged } } });
const begunAnew = 'the transaction log of this storage was damaged and begun anew';
const taken = 'was made for another storage of Armature, which loses what lies between: it had confirmed 0/C8, and the WAL is at 0/384';
const ownLost =
  `${begunAnew}: what the replication slot "electric_slot_default", which is this storage's own, had brought up to 0/C8 is lost; ` +
  'the slot is made anew, all shapes of before are condemned, and clients fetch them anew';

test.each<[string, string, Case]>([
  ['had this slot', ownLost, afterDamage({})],
  ['had this slot, which has no mark', ownLost, { ...afterDamage({}), found: unmarked }],
  ['had a slot that is gone', 'the replication slot "electric_slot_default" is gone', { ...afterDamage({}), found: { slot: undefined } }],
  [
    'had another slot',
    `${begunAnew}, and had another slot; the replication slot "electric_slot_default" ${taken}`,
    afterDamage(ofAnother({ slot: 'mine' })),
  ],
  [
    'cannot be read at all',
    `${begunAnew}, and cannot say any more whose slot it had; the replication slot "electric_slot_default" ${taken}`,
    afterDamage({ source: undefined }),
  ],
])('a log that was damaged is told as that, and whose the slot is, when it %s', (_, why, change) => {
  expect(judge(change)).toEqual({ standing: 'lost', why });
});

test('a slot without a mark is refused when the damaged log may have held less than it has confirmed', () => {
  const change = { ...afterDamage({}), found: unmarked, slot: { confirmedLsn: '301' as Lsn } };

  expect(judge(change)).toMatchObject({ standing: 'refused', code: 'slot_not_ours' });
});

const foreign: Case = { stored: NOTHING_STORED, found: unmarked };

test.each<[string, string, Case]>([
  ['Armature did not make', 'It has confirmed 0/C8, the WAL is at 0/384', foreign],
  ['Armature did not make and somebody streams from', 'Process 77 of the server streams', { ...foreign, slot: { activePid: 77 } }],
  ['has no publication to say whose it is', 'Armature did not make', { ...foreign, found: { publication: undefined } }],
  ['has no mark and has confirmed more than is held', 'not make', { found: unmarked, slot: { confirmedLsn: '301' as Lsn } }],
  ['has no mark and a storage of another system', 'not make', { found: unmarked, stored: ofAnother({ systemId: '8' }) }],
])('a slot that %s is refused, and the refusal says what to do', (_, why, change) => {
  const says = expect.stringMatching(new RegExp(`${why}.*--take-over-slot, or ARMATURE_TAKE_OVER_SLOT`));
  expect(judge(change)).toEqual({ standing: 'refused', code: 'slot_not_ours', why: says });
});

const dropIt = "; drop it if nobody needs it (SELECT pg_drop_replication_slot('electric_slot_default'))";

test.each<[string, string, Partial<FoundSlot>]>([
  ['a physical one', `it is a physical one${dropIt}`, { plugin: null, database: null }],
  ['one of another plugin', `its plugin is wal2json, not pgoutput${dropIt}`, { plugin: 'wal2json' }],
  ['one of another database', `it belongs to database "orders"${dropIt}`, { database: 'orders' }],
  ['one of two phases', `it was made with two_phase = true, which tells transactions before they commit${dropIt}`, { isTwoPhase: true }],
  [
    'a temporary one',
    'it is a temporary one of another connection; end that connection (process 77 of the server)',
    { isTemporary: true, activePid: 77 },
  ],
])('a slot from which nothing can be streamed is refused, whoever made it: %s', (_, why, change) => {
  const ours = judge({ slot: change });
  const foreignOne = judge({ ...foreign, slot: change, settings: { takesOverSlot: true } });

  const refused = {
    standing: 'refused',
    code: 'slot_of_another_kind',
    why: `Armature cannot stream from the replication slot "electric_slot_default": ${why}, or give this service a replication ` +
      'stream id of its own (--replication-stream-id, or ARMATURE_REPLICATION_STREAM_ID).',
  };
  expect({ ours, foreignOne }).toEqual({ ours: refused, foreignOne: refused });
});
