/**
 * ShapeParameters: a request's parameters, cast to their types; and the rules among them that need no database.
 *
 * The stages run in the order that the wire states, and the first that fails answers, with all of its errors
 * together. What is unknown is ignored: clients send parameters that only caches read.
 */
import * as z from 'zod';
import { BEFORE_ALL, parseOffset, type LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import { literalColumnNames, parseColumnList, parseRelationName, type RelationName } from '../sql/identifiers.ts';
import { CHARACTERS_MAX, plainFields } from './plain-parameters.ts';
import { invalidRequest, isRefusal, type Refusal } from './refusal.ts';
import type { ShapeBounds } from './shape-bounds.ts';

/** Parameters as they came, by name: text from a query, any JSON from a body. */
export type RawParameters = Readonly<Record<string, unknown>>;

/** What a definition is made of. */
export interface DefinitionParameters {
  readonly table: string | undefined;
  readonly columns: readonly string[] | undefined;
  readonly queryableColumns: readonly string[] | undefined;
  readonly where: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly replica: 'default' | 'full';
  readonly log: 'full' | 'changes_only';
  /** How a client is told of rows that leave with what a subquery selects. */
  readonly moveOuts: 'events' | 'deletes';
  /** Undefined where nothing is fixed. */
  readonly bounds?: ShapeBounds | undefined;
}

export interface ReadParameters {
  readonly shape: DefinitionParameters;
  readonly offset: LogOffset | 'now';
  /** Undefined when the request names none, or one that its offset makes irrelevant. */
  readonly handle: Handle | undefined;
  readonly live: boolean;
  readonly liveSse: boolean;
  readonly cursor: string | undefined;
}

export interface DeleteParameters {
  readonly shape: DefinitionParameters;
  readonly handle: Handle | undefined;
}

const INVALID = 'is invalid';
const BLANK = "can't be blank";

const TOO_LONG = `is longer than ${CHARACTERS_MAX} characters`;

/** Without a NUL, which no text of Postgres holds, and bounded. */
export const text = z
  .string()
  .refine((value) => !value.includes('\0'))
  .refine((value) => value.length <= CHARACTERS_MAX, TOO_LONG);
const optionalText = text.optional();
const strictFlag = z
  .union([z.boolean(), z.enum(['true', '1']).transform(() => true), z.enum(['false', '0']).transform(() => false)])
  .optional();
/** Whatever is there and is not `false` means yes: `&live`, `live=0`, `live=banana`. */
const looseFlag = z.union([z.boolean(), z.string().transform((value) => value !== 'false'), z.number().transform(() => true)]).optional();

/** Names one per element when a body gives an array: they are taken as they are. */
const columnNames = z
  .union([text, z.array(text)])
  .transform((value, context) => {
    const names = typeof value === 'string' ? parseColumnList(value) : literalColumnNames(value);
    if ('value' in names) return names.value;
    context.addIssue({ code: 'custom', message: names.error });
    return z.NEVER;
  })
  .optional();

/** No parameter of the protocol, so its refusal can say what it may be. */
const moveOuts = z
  .string()
  .transform((value, context) => {
    if (value === 'events' || value === 'deletes') return value;
    context.addIssue({ code: 'custom', message: "must be 'events' or 'deletes'" });
    return z.NEVER;
  })
  .optional();

const definitionFields = {
  table: optionalText,
  columns: columnNames,
  queryable_columns: columnNames,
  where: optionalText,
  params: z.record(z.string(), text).refine(areShort, TOO_LONG).optional(),
  replica: z.enum(['default', 'full']).optional(),
  log: z.enum(['full', 'changes_only']).optional(),
  move_outs: moveOuts,
  experimental_compaction: strictFlag,
  handle: optionalText,
};
type DefinitionFields = z.infer<z.ZodObject<typeof definitionFields>>;

const readFields = z.object({
  ...definitionFields,
  offset: z.string({ error: (issue) => (issue.input === undefined ? BLANK : INVALID) }),
  live: looseFlag,
  live_sse: looseFlag,
  experimental_live_sse: strictFlag,
  cursor: z.unknown().optional(),
});

const deleteFields = z.object({ ...definitionFields, live: strictFlag, live_sse: strictFlag, experimental_live_sse: strictFlag });

/** Whoever takes requests apart gives the same object for the same words, and of that the same is read each time. */
const readBefore = new WeakMap<RawParameters, ReadParameters>();

export function readParameters(raw: RawParameters): ReadParameters | Refusal {
  const known = readBefore.get(raw);
  if (known !== undefined) return known;
  const read = newlyRead(raw);
  if (!isRefusal(read)) readBefore.set(raw, read);
  return read;
}

function newlyRead(raw: RawParameters): ReadParameters | Refusal {
  const fields = plainFields(raw) ?? schemaFields(raw);
  if (isRefusal(fields)) return fields;
  const offset = fields.offset === 'now' ? 'now' : parseOffset(fields.offset);
  if (offset === undefined) return invalidRequest({ offset: ['has invalid format'] });
  const live = fields.live ?? false;
  const liveSse = fields.live_sse ?? fields.experimental_live_sse ?? false;
  const startsAnew = offset === BEFORE_ALL || offset === 'now';
  if (!startsAnew && fields.handle === undefined) return invalidRequest({ handle: ["can't be blank when offset != -1"] });
  if (live && offset === BEFORE_ALL) return invalidRequest({ live: ["can't be true when offset == -1"] });
  if (live && offset === 'now') return invalidRequest({ live: ["can't be true when offset is 'now'"] });
  if (liveSse && !live) return invalidRequest({ live_sse: ["can't be true unless live is also true"] });
  return {
    shape: definitionParameters(fields),
    offset,
    handle: startsAnew ? undefined : handleOf(fields.handle),
    live,
    liveSse,
    cursor: typeof fields.cursor === 'string' ? fields.cursor : undefined,
  };
}

/** What `plainFields` gives, of whatever is given, or why nothing. */
export function schemaFields(raw: RawParameters): z.infer<typeof readFields> | Refusal {
  return cast(readFields, withoutBlanks(raw, ['live', 'live_sse']));
}

/** The parameters of a DELETE; it has no offset, and its flags are strict. */
export function deleteParameters(raw: RawParameters): DeleteParameters | Refusal {
  const fields = cast(deleteFields, withoutBlanks(raw, []));
  if (isRefusal(fields)) return fields;
  if (fields.table === undefined && fields.handle === undefined) {
    return invalidRequest({ handle: ["can't be blank when shape definition is missing"] });
  }
  return { shape: definitionParameters(fields), handle: handleOf(fields.handle) };
}

export function tableOf(parameters: DefinitionParameters): RelationName | Refusal {
  if (parameters.table === undefined) return invalidRequest({ table: [BLANK] });
  const relation = parseRelationName(parameters.table);
  return 'value' in relation ? relation.value : invalidRequest({ table: [relation.error] });
}

function definitionParameters(fields: DefinitionFields): DefinitionParameters {
  return {
    table: fields.table,
    columns: fields.columns,
    queryableColumns: fields.queryable_columns,
    where: fields.where,
    params: fields.params ?? {},
    replica: fields.replica ?? 'default',
    log: fields.log ?? 'full',
    moveOuts: fields.move_outs ?? 'events',
  };
}

function cast<Fields extends z.ZodType>(fields: Fields, raw: RawParameters): z.output<Fields> | Refusal {
  const result = fields.safeParse(raw);
  return result.success ? result.data : invalidRequest(fieldErrors(result.error.issues));
}

/** One text per field: our own where the rule has one, else the text for any wrong type. */
function fieldErrors(issues: readonly z.core.$ZodIssue[]): Record<string, string[]> {
  const errors: Record<string, string[]> = {};
  for (const { path, code, message } of issues) {
    const field = String(path[0]);
    errors[field] ??= [code === 'custom' && message !== 'Invalid input' ? message : message === BLANK ? BLANK : INVALID];
  }
  return errors;
}

function areShort(texts: Readonly<Record<string, string>>): boolean {
  return Object.values(texts).reduce((size, value) => size + value.length, 0) <= CHARACTERS_MAX;
}

/** @param kept names that say something by being there. */
function withoutBlanks(raw: RawParameters, kept: readonly string[]): RawParameters {
  const isAbsent = (name: string, value: unknown): boolean =>
    value === null || (!kept.includes(name) && typeof value === 'string' && value.trim() === '');
  return Object.fromEntries(Object.entries(raw).filter(([name, value]) => !isAbsent(name, value)));
}

function handleOf(text: string | undefined): Handle | undefined {
  return text as Handle | undefined;
}
