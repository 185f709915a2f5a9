/** The end of a publication, and of what its tables have for it. */
import type pg from 'pg';
import { quoteName } from '../connection/sql-text.ts';
import { attempted, kept, type CleanupStep } from './cleanup-step.ts';
import { fullTables, identityText, LOCK_TIMEOUT, resetSql, resetTable, type FullTable } from './table-reset.ts';

export async function* publicationSteps(
  client: pg.Client,
  publication: string,
  { isDryRun }: { readonly isDryRun: boolean },
): AsyncGenerator<CleanupStep> {
  if (await isForAllTables(client, publication)) {
    const says = `The publication "${publication}" is for all tables, as Armature makes none: it stays, with its tables.`;
    return yield kept('publication', publication, says);
  }
  const tables = await fullTables(client, publication);
  const keyless = tables.filter(({ other, hasKey }) => other === null && !hasKey);
  let isLeft = false;
  for (const table of tables.filter((each) => !keyless.includes(each))) {
    const step = await resetTable(client, table, isDryRun);
    isLeft ||= step.outcome === 'refused';
    yield step;
  }
  yield isLeft ? stillNeeded(publication) : await dropped(client, publication, keyless, isDryRun);
}

async function isForAllTables(client: pg.Client, publication: string): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_publication WHERE pubname = $1 AND puballtables', [publication]);
  return rows.length > 0;
}

function stillNeeded(publication: string): CleanupStep {
  return kept('publication', publication, `The publication "${publication}" stays, for it names the tables that are left.`);
}

/** All of it, or nothing: whoever updates one of these tables must find it as it was, or in no publication. */
async function dropped(client: pg.Client, publication: string, keyless: readonly FullTable[], isDryRun: boolean): Promise<CleanupStep> {
  const says = [`The publication "${publication}".`, ...keyless.map(identityText)].join(' ');
  return await attempted({ what: 'publication', name: publication, says, isDryRun }, async () => {
    const drop = `DROP PUBLICATION IF EXISTS ${quoteName(publication)}`;
    await client.query([`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`, drop, ...keyless.map(resetSql)].join('; ')); // One transaction.
  });
}
