/**
 * What a Materializer makes of a shape that depends on others itself: rows of it come and go with values that are moved elsewhere, and
 * with their own updates, for one reason or for several. Its dependants hear of a value when its first row comes or its last one leaves.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { Family } from './told-shape.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

const OPEN = '(SELECT id FROM roots WHERE open)';
const BY_ROOT = `root IN ${OPEN}`;
const EITHER = `root IN ${OPEN} OR owner IN ${OPEN}`;
/** Cast otherwise the values of the same shape are kept by another Materializer, which reads all that has happened to it. */
const CASTS = ['::text', '::bigint', '::numeric', '::float8'];
const BOTH = `root IN ${OPEN} AND owner IN ${OPEN}`;

interface Case {
  readonly title: string;
  /** Of the parents; by their root alone when left out. */
  readonly where?: string;
  /** `(id, value, root, owner)`, as SQL writes them. */
  readonly parents: string;
  /** The children that are there first. */
  readonly first: string;
  /** Each is a transaction, with what is told of it. */
  readonly steps: readonly (readonly [sql: string, told: string])[];
}

const CASES: readonly Case[] = [
  {
    title: 'a new key, value and root: the root that it had takes nothing along any more, the one that it has does',
    parents: '(1, 10, 1, 0)',
    first: '+10',
    steps: [
      ['UPDATE parents SET id = 2, value = 20, root = 2', '-10 +20'],
      ['UPDATE roots SET open = false WHERE id = 1', ''],
      ['UPDATE roots SET open = false WHERE id = 2', '-20'],
    ],
  },
  {
    title: 'a new key and value under the same root go with that root, and the old key is not missed',
    parents: '(1, 10, 1, 0)',
    first: '+10',
    steps: [['UPDATE parents SET id = 2, value = 20', '-10 +20'], ['UPDATE roots SET open = false WHERE id = 1', '-20']],
  },
  {
    title: 'another root and the same value move nothing',
    parents: '(1, 10, 1, 0)',
    first: '+10',
    steps: [['UPDATE parents SET root = 2', '']],
  },
  {
    title: 'a row that has gone to another root outlives the end of the first',
    parents: '(1, 10, 1, 0)',
    first: '+10',
    steps: [['UPDATE parents SET root = 2', ''], ['UPDATE roots SET open = false WHERE id = 1', '']],
  },
  {
    title: 'and leaves with the other',
    parents: '(1, 10, 1, 0)',
    first: '+10',
    steps: [['UPDATE parents SET root = 2', ''], ['UPDATE roots SET open = false WHERE id = 2', '-10']],
  },
  {
    title: 'of two rows of one root only the one that stayed leaves with it',
    parents: '(1, 10, 1, 0), (2, 20, 1, 0)',
    first: '+10 +20',
    steps: [['UPDATE parents SET root = 2 WHERE id = 1', ''], ['UPDATE roots SET open = false WHERE id = 1', '-20']],
  },
  {
    title: 'a root takes the values of all of its rows along, and no others',
    parents: '(1, 10, 1, 0), (2, 20, 2, 0), (3, 30, 1, 0)',
    first: '+10 +20 +30',
    steps: [['UPDATE roots SET open = false WHERE id = 1', '-10 -30']],
  },
  {
    title: 'two roots that end in one transaction take the values of both along',
    parents: '(1, 10, 1, 0), (2, 20, 2, 0), (3, 30, 4, 0)',
    first: '+10 +20',
    steps: [
      ['INSERT INTO roots VALUES (4, true)', '+30'],
      ['UPDATE roots SET open = false WHERE id < 3', '-10 -20'],
    ],
  },
  {
    title: 'a root that has no rows moves nothing',
    parents: '(1, 10, 1, 0)',
    first: '+10',
    steps: [['UPDATE roots SET open = false WHERE id = 2', ''], ['INSERT INTO roots VALUES (4, true)', '']],
  },
  {
    title: 'a value stays that rows of another root have',
    parents: '(1, 10, 1, 0), (2, 10, 2, 0)',
    first: '+10',
    steps: [['UPDATE roots SET open = false WHERE id = 1', ''], ['UPDATE roots SET open = false WHERE id = 2', '-10']],
  },
  {
    title: 'rows that a root brought leave with it again',
    parents: '(1, 10, 3, 0), (2, 20, 3, 0)',
    first: '',
    steps: [['UPDATE roots SET open = true WHERE id = 3', '+10 +20'], ['UPDATE roots SET open = false WHERE id = 3', '-10 -20']],
  },
  {
    title: 'a row for which no reason holds is not there',
    where: EITHER,
    parents: '(1, 10, 3, 3)',
    first: '',
    steps: [['INSERT INTO parents VALUES (2, 20, 3, 4)', '']],
  },
  {
    title: 'one reason of two is enough for a row that is inserted',
    where: EITHER,
    parents: '(1, 10, 3, 3)',
    first: '',
    steps: [['INSERT INTO parents VALUES (2, 20, 1, 3)', '+20'], ['INSERT INTO parents VALUES (3, 30, 3, 2)', '+30']],
  },
  {
    title: 'a row that was not there comes with the first reason that holds',
    where: EITHER,
    parents: '(1, 10, 3, 4)',
    first: '',
    steps: [['UPDATE roots SET open = true WHERE id = 3', '+10']],
  },
  {
    title: 'a row that is there for two reasons stays for the second when the first goes',
    where: EITHER,
    parents: '(1, 10, 1, 2)',
    first: '+10',
    steps: [['UPDATE roots SET open = false WHERE id = 1', ''], ['UPDATE roots SET open = false WHERE id = 2', '-10']],
  },
  {
    title: 'a row that is there for its second reason alone goes with that',
    where: EITHER,
    parents: '(1, 10, 3, 2)',
    first: '+10',
    steps: [['UPDATE roots SET open = false WHERE id = 2', '-10']],
  },
  {
    title: 'a second reason for a row that is there moves nothing, and holds it from then on',
    where: EITHER,
    parents: '(1, 10, 1, 3)',
    first: '+10',
    steps: [['UPDATE roots SET open = true WHERE id = 3', ''], ['UPDATE roots SET open = false WHERE id = 1', '']],
  },
  {
    title: 'one of two conditions is not enough',
    where: BOTH,
    parents: '(1, 10, 1, 3)',
    first: '',
    steps: [['INSERT INTO parents VALUES (2, 20, 1, 3)', ''], ['UPDATE roots SET open = false WHERE id = 1', '']],
  },
  {
    title: 'the second of two conditions brings a row, and either takes it away',
    where: BOTH,
    parents: '(1, 10, 3, 1)',
    first: '',
    steps: [
      ['UPDATE roots SET open = true WHERE id = 3', '+10'],
      ['UPDATE roots SET open = false WHERE id = 1', '-10'],
      ['UPDATE roots SET open = false WHERE id = 3', ''],
      ['UPDATE roots SET open = true', '+10'],
    ],
  },
  {
    title: 'of rows with two reasons each only those of the root that ends lose theirs',
    where: EITHER,
    parents: '(1, 10, 1, 3), (2, 20, 2, 3), (3, 30, 1, 2)',
    first: '+10 +20 +30',
    steps: [['UPDATE roots SET open = false WHERE id = 1', '-10']],
  },
  {
    title: 'one transaction in which a row changes its root, and both roots change places',
    parents: '(1, 10, 1, 0), (2, 20, 3, 0)',
    first: '+10',
    steps: [
      ['UPDATE parents SET root = 4 - root; UPDATE roots SET open = NOT open WHERE id <> 2', ''],
      ['UPDATE parents SET root = 3 WHERE id = 2; UPDATE roots SET open = true', '+20'],
    ],
  },
];

const TITLED = CASES.map((each) => [each.title, each] as const);

function outer(where: string, cast = ''): string {
  return `value${cast} IN (SELECT value${cast} FROM parents WHERE ${where})`;
}

describe('a row of a shape in the middle:', () => {
  test.each(TITLED)('%s', async (_, { where = BY_ROOT, parents, first, steps }) => {
    const family = await new Family(database, service.shapeUrl).begin(`INSERT INTO parents VALUES ${parents}`);
    const shape = family.children(outer(where), { move_outs: 'deletes' });
    const told = [await shape.words(0n)];

    for (const [sql] of steps) told.push(await shape.words(await family.write(sql)));

    expect(told).toEqual([first, ...steps.map(([, words]) => words)]);
  });

  test.each(TITLED)('%s; as it is in the history of one who comes after each', async (_, { where = BY_ROOT, parents, first, steps }) => {
    const family = await new Family(database, service.shapeUrl).begin(`INSERT INTO parents VALUES ${parents}`);
    const shape = family.children(outer(where));
    await shape.words(0n);
    const held = new Set(first.split(' ').filter((word) => word !== ''));
    const [told, wanted]: [string[], string[]] = [[], []];

    for (const [index, [sql, words]] of steps.entries()) {
      await shape.words(await family.write(sql));
      for (const word of words.split(' ')) {
        if (word.startsWith('+')) held.add(word);
        else held.delete(word.replace('-', '+'));
      }
      told.push(await family.children(outer(where, CASTS[index])).words(0n));
      wanted.push([...held].sort().join(' '));
    }

    expect(told).toEqual(wanted);
  });
});
