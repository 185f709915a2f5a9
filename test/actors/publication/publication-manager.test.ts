/** What the publication manager asks of Postgres, of whom it gives up, and what it says: with its table, over a publication in memory. */
import { describe, expect, test } from 'vitest';
import { CHECK_EVERY_MS, ManagerWorld } from '../../support/actors/manager-world.ts';
import type { ModelPublication } from '../../support/actors/model-publication.ts';

const NOT_PUBLISHED = 'the table is not published any more';
const DROPPED = 'the table was dropped or renamed';

/** So many shapes were stored, ten on a table; `spoil` is what happened to their tables meanwhile. */
async function restartedWith(shapes: number, spoil: (publication: ModelPublication) => void = () => {}): Promise<ManagerWorld> {
  const world = await ManagerWorld.start();
  for (let shape = 0; shape < shapes; shape += 1) {
    const table = `table_${Math.floor(shape / 10)}`;
    world.publication.carry(table);
    world.retain(`${shape}-1`, table);
  }
  spoil(world.publication);
  return await world.restored();
}

describe('the tables of stored shapes', () => {
  test('are asked about once, all together, and nobody hears of it when all is well', async () => {
    const { questions, lines, condemned } = await restartedWith(1_000);

    expect({ questions, lines, condemned }).toEqual({ questions: [['reviewRelations', 100]], lines: [], condemned: [] });
  });

  const dropAll = (publication: ModelPublication) => {
    for (let table = 0; table < 1_000; table += 1) publication.dropTable(`table_${table}`);
  };

  test.each([
    ['there', () => {}],
    ['away', (publication: ModelPublication) => (publication.isAway = true)],
    ['there and all tables gone', dropAll],
  ])('cost as many events per shape with 10,000 as with 1,000, with Postgres %s', async (_, spoil) => {
    const [thousand, tenThousand] = [await restartedWith(1_000, spoil), await restartedWith(10_000, spoil)];

    expect(tenThousand.deliveries / thousand.deliveries).toBeLessThanOrEqual(10);
  });

  test('are asked about soon when Postgres is away again, however long it was away before', async () => {
    const world = await restartedWith(10, (publication) => (publication.isAway = true));
    for (const delayMs of [50, 100, 200]) await world.pass(delayMs);
    world.publication.isAway = false;
    await world.pass(400);
    world.publication.isAway = true;
    await world.pass(CHECK_EVERY_MS);
    const before = world.questions.length;
    await world.pass(50);

    expect([before, world.questions.length]).toEqual([6, 7]);
  });

  test('are reviewed without a word when Postgres is back', async () => {
    const world = await restartedWith(100, (publication) => (publication.isAway = true));
    await world.pass(50);
    const { questions } = world;
    world.publication.isAway = false;
    world.publication.takeOut('table_3');
    await world.pass(100);

    expect({ questions, lines: world.lines, condemned: world.condemned }).toEqual({
      questions: Array(2).fill(['reviewRelations', 10]),
      lines: [],
      condemned: [expect.objectContaining({ handles: Array.from({ length: 10 }, (_, shape) => `${30 + shape}-1`), why: NOT_PUBLISHED })],
    });
  });

  test('that changed meanwhile condemn their shapes, once, each for its reason', async () => {
    const world = await restartedWith(40, (publication) => {
      publication.dropTable('table_0');
      publication.takeOut('table_1');
      publication.dropTable('table_2');
      publication.carry('table_2');
    });
    await world.pass(CHECK_EVERY_MS);

    const told = world.condemned.map(({ handles, why }) => [(handles as string[]).length, why]);
    expect({ told, doubted: world.doubted, published: world.publication.published }).toEqual({
      told: [[20, DROPPED], [10, NOT_PUBLISHED]],
      doubted: ['table_0', 'table_1', 'table_2'],
      published: ['table_2', 'table_3'],
    });
  });

  test('get their old rows back, and one that is busy is told once and tried with each review', async () => {
    const world = await restartedWith(30, (publication) => {
      publication.forgetOldRows('table_0');
      publication.forgetOldRows('table_1');
      publication.lock('table_1');
    });
    for (let check = 0; check < 3; check += 1) await world.pass(CHECK_EVERY_MS);

    const error = { name: 'lock_timeout', code: 'lock_timeout', message: 'lock_timeout', status: 503 };
    expect({ lines: world.lines, questions: world.questions, condemned: world.condemned }).toEqual({
      lines: [{ level: 'warn', msg: 'publication.refused', count: 1, refusals: [{ relation: 'public.table_1', error }] }],
      questions: [
        ['reviewRelations', 3], ['addRelations', 2], ['addRelations', 1], ['addRelations', 1],
        ...Array.from({ length: 3 }, () => [['reviewRelations', 3], ['addRelations', 1]]).flat(),
      ],
      condemned: [],
    });
  });
});

describe('the table of a new shape', () => {
  test('is added once for all who ask meanwhile, and need not be for those who ask later', async () => {
    const world = await restartedWith(0);
    for (const shape of ['1-1', '2-1', '3-1']) world.add(shape, 'items');
    await world.settle();
    world.add('4-1', 'items');
    await world.settle();

    expect({ told: world.told, questions: world.questions }).toEqual({
      told: Array(4).fill(['items', 'relation.published']),
      questions: [['addRelations', 1]],
    });
  });

  test('is added together with others; of a lot that is refused only the right one is told', async () => {
    const world = await restartedWith(0);
    world.publication.lock('table_3');
    for (let table = 0; table < 6; table += 1) world.add(`${table}-1`, `table_${table}`);
    await world.settle();

    expect({ told: world.told.sort(), questions: world.questions, lines: world.lines }).toMatchObject({
      told: Array.from({ length: 6 }, (_, table) => [`table_${table}`, table === 3 ? 'lock_timeout' : 'relation.published']),
      questions: [['addRelations', 1], ['addRelations', 5], ...Array<unknown>(5).fill(['addRelations', 1])],
      lines: [{ msg: 'publication.refused', count: 1, refusals: [{ relation: 'public.table_3' }] }],
    });
  });

  test('does not wait behind tables that were refused together', async () => {
    const world = await restartedWith(0);
    world.publication.lock('table_1');
    for (let table = 0; table < 4; table += 1) world.add(`${table}-1`, `table_${table}`);
    await world.settle();
    world.add('9-1', 'fresh');
    await world.settle();

    expect(world.told.at(-1)).toEqual(['fresh', 'relation.published']);
  });

  test('many of them are added by a bounded number in each transaction', async () => {
    const world = await restartedWith(0);
    for (let table = 0; table < 251; table += 1) world.add(`${table}-1`, `table_${table}`);
    await world.settle();

    expect(world.questions).toEqual([['addRelations', 1], ['addRelations', 100], ['addRelations', 100], ['addRelations', 50]]);
  });

  test('is refused at once while Postgres is away, and asked for as soon as it is back', async () => {
    const world = await restartedWith(10, (publication) => (publication.isAway = true));
    world.add('91-1', 'items');
    await world.settle();
    world.publication.isAway = false;
    world.add('92-1', 'items');
    await world.settle();

    expect({ told: world.told, questions: world.questions, lines: world.lines }).toEqual({
      told: [['items', 'connection_not_available'], ['items', 'relation.published']],
      questions: [['reviewRelations', 1], ['reviewRelations', 1], ['reviewRelations', 1], ['addRelations', 1]],
      lines: [],
    });
  });

  test('is added anew for the new shape alone when stored shapes have lost it', async () => {
    const world = await restartedWith(10, (publication) => (publication.isAway = true));
    world.publication.takeOut('table_0');
    world.publication.isAway = false;
    world.add('99-1', 'table_0');
    await world.settle();

    expect({ told: world.told, condemned: world.condemnedShapes.length, published: world.publication.published }).toEqual({
      told: [['table_0', 'relation.published']],
      condemned: 10,
      published: ['table_0'],
    });
  });

  test('is added again once the slot was made anew, and the publication perhaps with it', async () => {
    const world = await restartedWith(10);
    world.publication.takeOut('table_0');
    world.renew();
    world.add('99-1', 'table_0');
    await world.settle();

    expect([world.told, world.publication.published]).toEqual([[['table_0', 'relation.published']], ['table_0']]);
  });

  test('made anew under its name is another one: it is carried although the old one is not gone yet', async () => {
    const world = await restartedWith(10);
    world.publication.dropTable('table_0');
    world.add('99-1', 'table_0');
    await world.settle();
    for (let shape = 0; shape < 10; shape += 1) world.release(`${shape}-1`);
    await world.settle();

    expect({ told: world.told, published: world.publication.published }).toEqual({
      told: [['table_0', 'relation.published']],
      published: ['table_0'],
    });
  });
});

describe('a shape that goes', () => {
  test('while its table is being added leaves the publication as it was', async () => {
    const world = await restartedWith(0);
    world.add('1-1', 'items');
    world.release('1-1');
    await world.settle();

    expect({ published: world.publication.published, questions: world.questions }).toEqual({
      published: [],
      questions: [['addRelations', 1], ['dropRelations', 1]],
    });
  });

  test('as the last one on its table takes it along, but not from one that comes at that moment', async () => {
    const world = await restartedWith(10);
    for (let shape = 0; shape < 10; shape += 1) world.release(`${shape}-1`);
    world.add('99-1', 'table_0');
    await world.settle();

    expect({ told: world.told, published: world.publication.published, questions: world.questions.slice(1) }).toEqual({
      told: [['table_0', 'relation.published']],
      published: ['table_0'],
      questions: [['dropRelations', 1], ['addRelations', 1]],
    });
  });

  test('while Postgres is away has its table taken out later', async () => {
    const world = await restartedWith(10);
    world.publication.isAway = true;
    for (let shape = 0; shape < 10; shape += 1) world.release(`${shape}-1`);
    await world.settle();
    world.publication.isAway = false;
    await world.pass(50);

    expect({ published: world.publication.published, lines: world.lines }).toEqual({ published: [], lines: [] });
  });

  test('together with many others costs Postgres a question per hundred tables', async () => {
    const world = await restartedWith(3_000);
    for (let shape = 0; shape < 3_000; shape += 1) world.release(`${shape}-1`);
    await world.settle();

    expect({ published: world.publication.published, questions: world.questions }).toEqual({
      published: [],
      questions: [['reviewRelations', 300], ['dropRelations', 1], ['dropRelations', 100], ['dropRelations', 100], ['dropRelations', 99]],
    });
  });
});

test('a publication that is not there is told with each try, and refuses whoever asks', async () => {
  const world = await restartedWith(0);
  world.publication.isMissing = true;
  world.add('1-1', 'items');
  await world.settle();

  expect({ told: world.told, lines: world.lines }).toMatchObject({
    told: [['items', 'publication_missing']],
    lines: [{ level: 'warn', msg: 'publication.unavailable', retryInMs: 50 }],
  });
});

describe('a table whose partitions came or went', () => {
  const TURNED = 'a partition of the table was attached, detached or dropped, and its rows with it';

  test('ends the shapes that were made before, once, and none that was made since', async () => {
    const world = await restartedWith(0);
    world.publication.carry('tree');
    for (const handle of ['1-10', '2-20']) world.retain(handle, 'tree');
    await world.settle();
    world.publication.turn('tree', 15);
    await world.pass(CHECK_EVERY_MS);
    await world.pass(CHECK_EVERY_MS);

    expect({ condemned: world.condemned.map(({ handles, why }) => [handles, why]), published: world.publication.published }).toEqual({
      condemned: [[['1-10'], TURNED]], published: ['tree'],
    });
  });

  test('is reviewed as soon as the stream tells of it, and no other table with it', async () => {
    const world = await restartedWith(20);
    const { questions } = world;
    world.publication.turn('table_1', 2);
    world.doubt('table_1');
    await world.settle();

    expect({ questions: world.questions.slice(questions.length), condemned: world.condemned.map(({ handles }) => (handles as []).length) })
      .toEqual({ questions: [['reviewRelations', 1], ['dropRelations', 1]], condemned: [10] });
  });

  test('and of whose shapes none is left leaves the publication', async () => {
    const world = await restartedWith(10);
    world.publication.turn('table_0', 2);
    await world.pass(CHECK_EVERY_MS);

    expect({ condemned: world.condemnedShapes.length, published: world.publication.published }).toEqual({ condemned: 10, published: [] });
  });
});
