/**
 * The tables that the oracle writes to and reads shapes of: parents with children, and tags of parents. There are no foreign
 * keys, so that parents and children come and go in any order, and few ids, so that writes meet each other all the time.
 */
export const TABLES = ['parents', 'children', 'tags'] as const;
export type TableName = (typeof TABLES)[number];

/** In table order; a key is made of the first ones. */
export const COLUMNS: Readonly<Record<TableName, readonly string[]>> = {
  parents: ['id', 'active', 'kind', 'ref', 'note', 'heir'],
  children: ['id', 'parent_id', 'other_id', 'value', 'rank'],
  tags: ['parent_id', 'tag'],
};
export const KEYS: Readonly<Record<TableName, readonly string[]>> = { parents: ['id'], children: ['id'], tags: ['parent_id', 'tag'] };

/** Some that need care: in a key each slash is doubled. */
export const PARENT_IDS = ['p1', 'p2', 'p3', 'p4', 'p5', 'p/6', "p'7", 'žluť "8"'] as const;
export const CHILD_IDS: readonly string[] = Array.from({ length: 40 }, (_, index) => `c${index}`);
export const TAGS = ['x', 'y', 'z'] as const;
export const VALUES = ['v0', 'v1', 'v10', 'v2', 'w5', '', "it's", 'back\\slash'] as const;
export const KINDS = [0, 1, 2] as const;
export const RANK_MAX = 9;

/** `fences` marks a moment: whoever has been told of its transaction has been told of everything before. */
export const SCHEMA = `
  CREATE TABLE parents (id text PRIMARY KEY, active bool NOT NULL, kind int NOT NULL, ref text NOT NULL, note text, heir text);
  CREATE TABLE children (id text PRIMARY KEY, parent_id text, other_id text, value text, rank int NOT NULL);
  CREATE TABLE tags (parent_id text, tag text, PRIMARY KEY (parent_id, tag));
  CREATE TABLE fences (id int PRIMARY KEY, raised int NOT NULL);
  INSERT INTO fences VALUES (1, 0);`;

/** Every other parent is active; child n belongs to parent n modulo their number, every ninth to none. */
export const SEED_ROWS = [
  ...PARENT_IDS.map((id, index) => {
    const ref = literal(nth(PARENT_IDS, index + 3));
    return `INSERT INTO parents VALUES (${literal(id)}, ${index % 2 === 0}, ${index % KINDS.length}, ${ref}, 'new', ${ref})`;
  }),
  ...CHILD_IDS.slice(0, 25).map((id, index) => {
    const parent = index % 9 === 8 ? 'NULL' : literal(nth(PARENT_IDS, index));
    const [other, value] = [nth(PARENT_IDS, index * 3), nth(VALUES, index)].map(literal);
    return `INSERT INTO children VALUES ('${id}', ${parent}, ${other}, ${value}, ${index % (RANK_MAX + 1)})`;
  }),
  ...PARENT_IDS.map((id, index) => `INSERT INTO tags VALUES (${literal(id)}, '${nth(TAGS, index)}')`),
].join(';\n');

/** As an SQL constant; `null` is one too. */
export function literal(text: string | null): string {
  return text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`;
}

function nth<Item>(items: readonly Item[], index: number): Item {
  return items.slice(index % items.length)[0] ?? unreachable();
}

function unreachable(): never {
  throw new Error('a list of the schema is empty');
}
