/**
 * Identifiers, as a request names a table or its columns: Postgres's own reading of quotes, case and length, except
 * that white space is never skipped. The texts of refusals are part of the wire.
 */
const IDENTIFIER_CHARACTERS_MAX = 63;
/** No table has more. */
const COLUMNS_MAX = 1600;

export type Parsed<Value> = { readonly value: Value } | { readonly error: string };

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

const UNQUOTED = /^[\p{L}_][\p{L}\p{M}_\d$]*$/u;
const ZERO_LENGTH = 'Invalid zero-length delimited identifier';
const TOO_MANY_COLUMNS = { error: `Too many columns (max is ${COLUMNS_MAX})` };

/** Reads `[schema.]table`; the schema is `public` when none is named. */
export function parseRelationName(text: string): Parsed<RelationName> {
  const parts = splitOutsideQuotes(text, '.');
  if (parts.length > 2) return { error: `Invalid relation identifier, too many delimiters: ${text}` };
  const names = parseAll(parts);
  if ('error' in names) return names;
  const [first = '', second] = names.value;
  return { value: second === undefined ? { schema: 'public', name: first } : { schema: first, name: second } };
}

/** Reads names separated by commas, in the order in which they stand. */
export function parseColumnList(text: string): Parsed<readonly string[]> {
  const parts = splitOutsideQuotes(text, ',');
  return parts.length > COLUMNS_MAX ? TOO_MANY_COLUMNS : parseAll(parts);
}

/** Names that are meant as they stand, without quotes or folding. */
export function literalColumnNames(names: readonly string[]): Parsed<readonly string[]> {
  if (names.length > COLUMNS_MAX) return TOO_MANY_COLUMNS;
  return names.includes('') ? { error: 'Invalid zero-length identifier' } : { value: names };
}

function parseIdentifier(text: string): Parsed<string> {
  const name = text.length > 1 && text.startsWith('"') && text.endsWith('"') ? unquote(text) : fold(text);
  if ('error' in name || [...name.value].length <= IDENTIFIER_CHARACTERS_MAX) return name;
  return { error: `Identifier is too long (max length is ${IDENTIFIER_CHARACTERS_MAX})` };
}

/** The name as SQL text that means exactly it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."table"`, as SQL text. */
export function quoteRelation({ schema, name }: RelationName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

function unquote(text: string): Parsed<string> {
  const inner = text.slice(1, -1);
  if (inner === '') return { error: ZERO_LENGTH };
  if (inner.replaceAll('""', '').includes('"')) {
    return { error: `Invalid identifier with unescaped quote: ${inner}` };
  }
  return { value: inner.replaceAll('""', '"') };
}

function fold(text: string): Parsed<string> {
  if (text === '') return { error: ZERO_LENGTH };
  if (!UNQUOTED.test(text)) return { error: `Invalid unquoted identifier contains special characters: ${text}` };
  return { value: text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) };
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = text.split('"').length % 2 === 0; // Seen from the end: with a stray quote, the part around it is at fault.
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') quoted = !quoted;
    if (text[at] !== separator || quoted) continue;
    parts.push(text.slice(start, at));
    start = at + 1;
  }
  return [...parts, text.slice(start)];
}

function parseAll(parts: readonly string[]): Parsed<readonly string[]> {
  const values: string[] = [];
  for (const part of parts) {
    const name = parseIdentifier(part);
    if ('error' in name) return name;
    values.push(name.value);
  }
  return { value: values };
}
