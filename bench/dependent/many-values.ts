/** One subquery that selects very many values: what each needs of memory, how soon a shape over them is there, and who feels it. */
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { memoryOf, settled, type OwnInnerWorld } from './own-inner.ts';
import type { Row } from './report.ts';
import { median, pause, quantile, timed } from '../timing.ts';

const HOLDERS = 1_000;
const PROBE_MS = 5;
const TRIES = 20;
const TABLES = `
  CREATE TABLE badges (id int PRIMARY KEY, number int NOT NULL, valid boolean NOT NULL);
  CREATE TABLE holders (id int PRIMARY KEY, badge int NOT NULL);
  CREATE INDEX ON holders (badge)`;
const WHERE = 'badge IN (SELECT number FROM badges WHERE valid)';

export interface ManyValuesOptions {
  readonly values: number;
  readonly settleMs: number;
}

export async function manyValues({ database, service, inspector }: OwnInnerWorld, options: ManyValuesOptions): Promise<Row[]> {
  const { values, settleMs } = options;
  await database.query(TABLES);
  await database.query(`
    INSERT INTO badges SELECT i, 1000000 + i, true FROM generate_series(1, ${values}) i;
    INSERT INTO holders SELECT i, 1000000 + i FROM generate_series(1, ${HOLDERS}) i`);
  await database.query('VACUUM (ANALYZE) badges, holders');
  const read = (where: string): Promise<void> => new ShapeReader(service.url, { table: 'holders', where }).readToEnd();
  await read('badge < 0'); // What the first of all shapes brings with it is not counted.
  const before = await settled(inspector, settleMs);
  const select = await timed(() => database.query(`SELECT * FROM holders WHERE ${WHERE}`));
  const first = await probed(service, () => read(WHERE));
  const memory = memoryOf('value', before, await settled(inspector, settleMs), values);
  const second = await probed(service, () => read(`${WHERE} AND id > 0`));
  const follower = new ShapeReader(service.url, { table: 'holders', where: WHERE });
  await follower.readToEnd();
  const moves: number[] = [];
  for (let round = 0; round < TRIES; round += 1) moves.push(await moved(database, follower));
  return [
    ...memory,
    rowOf(`rows of a shape over ${values} values, which are read for it`, first, select),
    rowOf('rows of a further shape over them', second, select),
    { what: 'one of them comes: COMMIT to the row', measured: median(moves), unit: 'ms', detail: `p95 ${p95(moves)} ms` },
  ];
}

/** @returns from the COMMIT until a client of its own has the row that comes in. */
async function moved(database: Database, follower: ShapeReader): Promise<number> {
  const before = follower.rows;
  await database.query('UPDATE badges SET valid = false WHERE id = 1');
  await follower.readText('"event":"move-out"'); // On a busy machine both may be told as one, in which nothing moved.
  return await timed(async () => {
    await database.query('UPDATE badges SET valid = true WHERE id = 1');
    await follower.readRows(before + 1);
  });
}

interface Probed {
  readonly elapsedMs: number;
  /** How long others waited for an answer meanwhile. */
  readonly waitsMs: readonly number[];
}

async function probed(service: Service, work: () => Promise<void>): Promise<Probed> {
  const waitsMs: number[] = [];
  let isOver = false;
  const probe = async (): Promise<void> => {
    while (!isOver) {
      waitsMs.push(await timed(() => fetch(`${service.url}/v1/health`).then((answer) => answer.arrayBuffer())));
      await pause(PROBE_MS);
    }
  };
  const probing = probe();
  const elapsedMs = await timed(work);
  isOver = true;
  await probing;
  return { elapsedMs, waitsMs };
}

function p95(figures: readonly number[]): string {
  return quantile(figures, 0.95).toFixed(1);
}

function rowOf(what: string, { elapsedMs, waitsMs }: Probed, select: number): Row {
  const [half, longest] = [quantile(waitsMs, 0.5), Math.max(...waitsMs)].map((wait) => wait.toFixed(1));
  const detail = `others waited ${half} ms, ${longest} at most`;
  return { what, measured: elapsedMs, unit: 'ms', against: { what: 'SELECT', figure: select }, detail };
}
