/** Checks of the tables that clients may ask for: what the role may do with them, and what they tell of their rows. */
import type pg from 'pg';
import { quoteName, quoteTable } from '../connection/sql-text.ts';
import { ok, warn } from './finding.ts';
import { rowsOf, type Check } from './check.ts';
import { someOf, type NamedTable } from './some-tables.ts';

interface UserTable extends NamedTable {
  readonly owner: string;
}

/** Of the user's, a few for which `condition` holds. */
function tablesWhere(client: pg.Client, condition: string, values: readonly unknown[] = []): Promise<readonly UserTable[]> {
  return rowsOf<UserTable>(
    client,
    `SELECT n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner, count(*) OVER ()::int AS total
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND (${condition})
     ORDER BY n.nspname, c.relname LIMIT 5`,
    values,
  );
}

/** Only its owner publishes a table and has it tell its old rows. */
const ownership: Check = {
  id: 'table_owner',
  async look(client, { isManual, publication, target }) {
    if (isManual) return [];
    const tables = await tablesWhere(
      client,
      `NOT pg_has_role(c.relowner, 'USAGE') AND NOT (c.relreplident = 'f' AND EXISTS
         (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE p.pubname = $1 AND r.prrelid = c.oid))`,
      [publication],
    );
    if (tables.length === 0) return [ok(`The role "${target.user}" may publish every table`)];
    const grants = [...new Set(tables.map(({ owner }) => `GRANT ${quoteName(owner)} TO ${quoteName(target.user)};`))];
    return [warn(`${someOf(tables)} cannot be published by the role "${target.user}", which is not their owner`, ...grants)];
  },
};

const reading: Check = {
  id: 'table_select',
  async look(client, { target }) {
    const tables = await tablesWhere(client, "NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))");
    if (tables.length === 0) return [ok(`The role "${target.user}" may read every table`)];
    const role = quoteName(target.user);
    const schemas = [...new Set(tables.map(({ schema }) => `GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${role};`))];
    const run = [...schemas, ...tables.map((table) => `GRANT SELECT ON ${quoteTable(table)} TO ${role};`)];
    return [warn(`${someOf(tables)} cannot be read by the role "${target.user}"`, ...run)];
  },
};

const primaryKeys: Check = {
  id: 'primary_key',
  async look(client) {
    const tables = await tablesWhere(client, 'NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)');
    if (tables.length === 0) return [ok('Every table has a primary key')];
    const run = tables.map((table) => `ALTER TABLE ${quoteTable(table)} ADD PRIMARY KEY (…);`);
    const says = `${someOf(tables)}: without a primary key, clients name a row by all its columns, and hold rows that are alike as one`;
    return [warn(says, ...run)];
  },
};

/** What is streamed knows no policies, so a snapshot that they filter would not fit to it. */
const rowSecurity: Check = {
  id: 'row_security',
  async look(client, { target }) {
    const tables = await tablesWhere(client, 'row_security_active(c.oid)');
    if (tables.length === 0) return [ok('No policy hides rows from the role')];
    const says = `${someOf(tables)}: policies hide rows from the role "${target.user}" in snapshots, and hide none in the stream. ` +
      'Let filters say who may see what';
    return [warn(says, `ALTER ROLE ${quoteName(target.user)} WITH BYPASSRLS;`)];
  },
};

const logging: Check = {
  id: 'unlogged',
  async look(client) {
    const tables = await tablesWhere(client, "c.relpersistence = 'u'");
    if (tables.length === 0) return [];
    const run = tables.map((table) => `ALTER TABLE ${quoteTable(table)} SET LOGGED;`);
    return [warn(`${someOf(tables)}: not logged, so no change is streamed`, ...run)];
  },
};

export const TABLE_CHECKS: readonly Check[] = [ownership, reading, primaryKeys, rowSecurity, logging];
