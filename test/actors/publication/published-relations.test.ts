/** What the table says is to be done, and for whom, where it depends on what came while a lot was in hand. */
import { describe, expect, test } from 'vitest';
import {
  PublishedRelations,
  type PublicationPorts,
  type PublishedRelationsChange,
  type RelationFault,
} from '../../../src/actors/publication/published-relations.ts';
import { EVER } from '../../../src/model/partition-tree.ts';
import type { ReplyTo } from '../../../src/otp/process.ts';
import { handleOf } from '../../support/shapes.ts';

const relationOf = (name: string) => ({ oid: name.charCodeAt(0), schema: 'public', name });
const [items, lists] = [relationOf('items'), relationOf('lists')];
const callOf = (index: number) => `call#${index}` as ReplyTo;

const need = (index: number, relation = items): PublishedRelationsChange => {
  return { type: 'need', handle: handleOf(index), relation, replyTo: callOf(index) };
};
const retain = (index: number, relation = items): PublishedRelationsChange => ({ type: 'retain', handle: handleOf(index), relation });
const release = (index: number, why = 'asked'): PublishedRelationsChange => ({ type: 'release', handle: handleOf(index), why });
const next: PublishedRelationsChange = { type: 'next' };
const error = { code: 'replica_identity_not_full', message: 'no' };
const refused: PublishedRelationsChange = { type: 'refused', error };
const busy: PublishedRelationsChange = { type: 'refused', error: { code: 'lock_timeout', message: 'busy' } };
const altered = (...added: readonly typeof items[]): PublishedRelationsChange => ({ type: 'altered', added, turns: [] });
const reviewed = (...faults: readonly RelationFault['fault'][]): PublishedRelationsChange => ({
  type: 'reviewed',
  faults: faults.map((fault) => ({ relation: items, fault })),
  turns: [],
});

/** Than the birth of any handle here. */
const LATER = EVER - 1;
const GONE = 9;
const ports: PublicationPorts = { lost: () => {}, isStored: (handle) => handle !== handleOf(GONE), clone: () => ports };
const tableOf = () => new PublishedRelations(ports);

/** What the last of the changes is answered with. */
function after(...changes: readonly PublishedRelationsChange[]) {
  const table = tableOf();
  return changes.map((change) => table.apply(change)).at(-1);
}

/** A shape's table is published. */
const added = [need(1), next, altered(items)];
const settled = { type: 'relations.settled' };
const toReview = { type: 'relations.toReview', relations: [items] };
const toAdd = { type: 'relations.toAdd', relations: [items] };
const toDrop = { type: 'relations.toDrop', relations: [items] };
const published = (...asked: readonly string[]) => ({ type: 'relations.published', asked });

test.each<[string, readonly PublishedRelationsChange[], object | undefined]>([
  ['that a shape waits for is added', [need(1), next], toAdd],
  ['that is there already makes nobody wait', [...added, need(2)], published('call#2')],
  ['is added again for the next shape where the publication may be another one', [...added, { type: 'distrust' }, need(2), next], toAdd],
  ['that is in hand makes the next wait as well', [need(1), next, need(2), altered(items)], published('call#1', 'call#2')],
  ['that is reviewed need not be added for who asked meanwhile', [retain(1), need(2), next, reviewed(), next], settled],
  ['of a stored shape is reviewed before it is added for a new one', [need(2), retain(1), next], toReview],
  ['of a stored shape is reviewed once when its Consumer begins anew', [retain(1), next, reviewed(), retain(1), next], settled],
  ['stays for the shape that is left', [...added, need(2), release(1), next], settled],
  [
    'of which a shape ended for want of its old rows is asked for again',
    [...added, need(2), release(1, 'replicaIdentity'), need(3), next],
    toAdd,
  ],
  ['whose last shape ended for want of its old rows is dropped', [...added, release(1, 'replicaIdentity'), next], toDrop],
  ['of a stored shape that goes before the review is dropped unseen', [retain(1), release(1), next], toDrop],
  [
    'that is needed again stays, also where its old rows cannot be had',
    [...added, release(1), retain(2), next, reviewed('isNotFull'), next, refused, next, next],
    settled,
  ],
  [
    'that is to be tried alone is not tried any more when its shape has gone',
    [need(1), need(2, lists), next, refused, release(2), next, altered(items), next],
    settled,
  ],
  ['that keeps everybody from writing to it is dropped', [...added, { type: 'doubt' }, next, reviewed('isUnwritable'), next, next], toDrop],
  ['without a shape is dropped', [...added, release(1), next], toDrop],
  ['that cannot be dropped is left where it is', [...added, release(1), next, refused, next, next], settled],
  ['that was never added need not be dropped', [need(1), release(1), next], settled],
  ['that is needed again is not dropped', [...added, release(1), need(2), next], settled],
  ['that is needed again when it is being dropped is added', [...added, release(1), next, need(2), altered(), next], toAdd],
  [
    'that cannot get back its old rows is asked for once, and again for a new shape',
    [retain(1), next, reviewed('isNotFull'), next, refused, next, { type: 'doubt' }, next, reviewed('isNotFull'), need(2), next],
    toAdd,
  ],
  [
    'that cannot get back its old rows is asked for once',
    [retain(1), next, reviewed('isNotFull'), next, refused, next, { type: 'doubt' }, next, reviewed('isNotFull'), next],
    settled,
  ],
  [
    'that was busy when it was to get back its old rows is asked for with the next review',
    [retain(1), next, reviewed('isNotFull'), next, busy, next, { type: 'doubt' }, next, reviewed('isNotFull'), next],
    toAdd,
  ],
  ['that is carried by a table above it is added by itself', [retain(1), next, reviewed('isNotItself'), next], toAdd],
  ['that was carried by a table above it loses no shape then', [retain(1), next, reviewed('isNotItself'), next, altered(), next], settled],
])('a table %s', (_, changes, told) => {
  expect(after(...changes)).toEqual(told);
});

test('a shape whose table was taken out while it got back its old rows has lost something', () => {
  expect(after(retain(1), next, reviewed('isNotFull'), next, altered(items), next)).toEqual({
    type: 'shapes.lost',
    handles: [handleOf(1)],
    why: 'the table is not published any more',
  });
});

describe('when partitions of its table came or went with their rows', () => {
  const turned = (beforeMicros: number): PublishedRelationsChange => {
    return { type: 'reviewed', faults: [], turns: [{ relation: items, beforeMicros }] };
  };
  const doubt: PublishedRelationsChange = { type: 'doubt' };
  const lost = (index: number) => ({
    type: 'shapes.lost', handles: [handleOf(index)], why: expect.stringContaining('a partition of the table was attached'),
  });

  test.each<[string, readonly PublishedRelationsChange[], object]>([
    ['that follows it ends', [...added, doubt, next, turned(EVER), next], lost(1)],
    ['that was stored and is older ends', [retain(1), next, turned(LATER), next], lost(1)],
    ['that was stored and is younger goes on', [retain(1), next, turned(1), next], settled],
    ['that has only waited then goes on', [retain(2), need(1), next, turned(EVER), next, doubt, next, turned(LATER), next], settled],
    [
      'that would have been told in an answer that was lost ends',
      [...added, doubt, next, { type: 'unavailable', error }, next, turned(LATER), next],
      lost(1),
    ],
    ['that was made since goes on, also where the clock was set back', [...added, doubt, next, turned(LATER), next], settled],
  ])('a shape %s', (_, changes, told) => {
    expect(after(...changes)).toEqual(told);
  });
});

test('who asks for a shape that is gone is told so', () => {
  expect(after(need(GONE))).toEqual({
    type: 'relations.refused',
    asked: [`call#${GONE}`],
    error: { code: 'schema_changed', message: 'The shape is gone', status: 409 },
  });
});

test('of tables that are refused together each is tried alone, unless nobody needs it any more', () => {
  const table = tableOf();
  for (const change of [need(1), need(2, lists), next, release(2), refused]) table.apply(change);

  expect([table.apply(next), table.apply(refused), table.apply(next), table.apply(next)]).toEqual([
    { type: 'relations.toAdd', relations: [items] },
    { type: 'relations.refused', asked: ['call#1'], error },
    { type: 'refusals.gathered', count: 1, refusals: [{ relation: 'public.items', error }] },
    { type: 'relations.settled' },
  ]);
});

test('a table that could not be dropped with others is added for who needs it again', () => {
  const dropping = [need(1), need(2, lists), next, altered(items, lists), release(1), release(2), next];

  expect(after(...dropping, need(3), refused, next)).toEqual({ type: 'relations.toAdd', relations: [items] });
});

test.each<[string, readonly PublishedRelationsChange[]]>([
  ['published and dropped', [need(1), next, altered(items), need(2), release(1), release(2), next, altered()]],
  ['gone before their table was asked for', [need(1), release(1)]],
  ['gone, and released, before their request came', [release(GONE), need(GONE)]],
  ['gone while it was refused', [need(1), need(2, lists), next, release(1), release(2), refused]],
  ['refused', [need(1), next, refused, next]],
  ['refused because Postgres is away', [need(1), next, { type: 'unavailable', error }]],
  ['condemned', [retain(1), next, reviewed('isDropped'), next]],
])('of shapes that are %s nothing is kept', (_, changes) => {
  const table = tableOf();
  for (const change of changes) table.apply(change);

  expect(table.key()).toBe(tableOf().key());
});

test('a shape that waited and follows is found by whoever ends it, though it waits no more', () => {
  const refusedMeanwhile = [need(1), next, retain(1), { type: 'unavailable', error } as const];

  expect(after(...refusedMeanwhile, release(1))).toEqual({ type: 'relations.due' });
});
