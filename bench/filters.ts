/**
 * Filters: what a change costs among many shapes whose filters are looked up, and one filter beside Postgres.
 *
 * The router alone is measured, by the CPU time of this process: what else becomes of a change is the same whatever the filters are.
 *
 *   npm run bench:filters                                          10, 1,000 and 100,000 shapes; 100,000 rows
 *   npm run bench:filters -- --shapes 10,100 --changes 1000 --rows 1000
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { loadWhereLanguage } from '../src/sql/where-language.ts';
import { openDatabase } from './database.ts';
import { printRow } from './filter/report.ts';
import { bareMap } from './filter/bare-map.ts';
import { besidePostgres } from './filter/beside-postgres.ts';
import { manyShapes } from './filter/many-shapes.ts';
import { positive } from './options.ts';
import { printTitle } from './report.ts';

const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: '10,1000,100000' },
    changes: { type: 'string', default: '50000' },
    rows: { type: 'string', default: '100000' },
  },
});
const shapes = values.shapes.split(',').map((count) => positive(count, 'shapes'));
const language = await loadWhereLanguage();

printTitle('A change that is one shape’s, among so many: CPU for each change');
const changes = positive(values.changes, 'changes');
for (const row of bareMap(shapes, changes)) printRow(row);
for (const row of manyShapes(language, shapes, changes)) printRow(row);

const directory = mkdtempSync(join(tmpdir(), 'armature-filters-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off', autovacuum: 'off' } });
const database = await openDatabase(postgres.url);
try {
  printTitle('A filter of one shape: CPU for each change, and what Postgres takes for each row of a scan');
  for await (const row of besidePostgres(database, language, positive(values.rows, 'rows'))) printRow(row);
} finally {
  await database.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
