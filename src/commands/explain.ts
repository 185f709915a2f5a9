/**
 * `armature explain`: why a row is in a shape of a running service, or is not. It asks `GET /v1/shape/explain` and says the verdict,
 * the filter node by node, what subqueries select, and what the log has of the row; docs/explain.md says what each means.
 */
import * as z from 'zod';
import { printable } from '../base/printable-text.ts';
import { JSON_FLAG, textOf, type CommandContext, type Flag, type ToolCommand } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { askService, jsonOf, serviceAddress, SERVICE_FLAGS } from './service-client.ts';
import { jsonLine, refused } from './terminal.ts';

const SHAPE_FLAGS: readonly Flag[] = [
  { flag: 'handle', value: 'HANDLE', help: 'the shape, or instead of it:', variables: [] },
  { flag: 'table', value: 'TABLE', help: 'its table, as in a read', variables: [] },
  { flag: 'where', value: 'FILTER', help: 'its filter', variables: [] },
  { flag: 'params', value: 'JSON', help: 'the parameters of its filter, as in ["7"]', variables: [] },
  { flag: 'columns', value: 'LIST', help: 'its columns, with commas between them', variables: [] },
  { flag: 'replica', value: 'default|full', help: 'what its updates bring', variables: [] },
  { flag: 'log', value: 'full|changes_only', help: 'whether it has first rows', variables: [] },
  { flag: 'move-outs', value: 'events|deletes', help: 'how it tells what a subquery takes out', variables: [] },
];
const ROW_FLAGS: readonly Flag[] = [
  { flag: 'pk', value: 'JSON', help: 'the row by its primary key, as in {"id":"7"}, or', variables: [] },
  { flag: 'key', value: 'KEY', help: 'by its key in the log, as in "public"."issues"/"7", or', variables: [] },
  { flag: 'row', value: 'JSON', help: 'as it is, as in {"id":"7","status":"open"}: what does the filter say of it?', variables: [] },
];

export const explainCommand: ToolCommand = {
  name: 'explain',
  summary: 'say why a row is in a shape of a running service, or is not',
  flags: [...SHAPE_FLAGS, ...ROW_FLAGS, ...SERVICE_FLAGS, JSON_FLAG],
  run: explain,
};

const part = z.object({
  text: z.string(),
  result: z.string(),
  value: z.string().nullish(),
  error: z.object({ code: z.string(), message: z.string() }).nullish(),
  asked: z.boolean(),
  get parts() {
    return z.array(part).optional();
  },
});
const explanation = z.object({
  verdict: z.object({ code: z.string(), message: z.string() }),
  filter: z.object({ root: part }).nullish(),
  subqueries: z
    .array(z.object({ table: z.string(), left: z.unknown(), selected: z.boolean().nullish(), selected_now: z.boolean().nullish() }))
    .nullish(),
  log: z.object({ looked_from: z.string(), entries: z.array(z.object({ offset: z.string(), message: z.unknown() })) }).nullish(),
});

type Explanation = z.output<typeof explanation>;

async function explain(context: CommandContext): Promise<ExitCode> {
  const { flags, terminal } = context;
  const address = serviceAddress(context);
  if ('problems' in address) return refused(terminal, address.problems, EXIT.misused);
  if (!isNamed(context)) return refused(terminal, [HOW], EXIT.misused);
  const params = numbered(textOf(flags['params']) ?? '[]');
  if (params === undefined) return refused(terminal, ['--params must be a list of texts in JSON, as in ["7"]'], EXIT.misused);
  const asInRead = [...SHAPE_FLAGS, ...ROW_FLAGS].filter(({ flag }) => flag !== 'params');
  const named = asInRead.map(({ flag }) => [flag.replace('-', '_'), textOf(flags[flag])]);
  const query: Record<string, string | undefined> = { ...Object.fromEntries(named), ...params };
  const answer = await askService(address, { path: '/v1/shape/explain', query, form: explanation, whenMissing: NO_EXPLAIN });
  if ('problems' in answer) return refused(terminal, answer.problems, EXIT.failed);
  terminal.print(flags['json'] === undefined ? told(answer.view) : jsonLine(answer.body));
  return EXIT.done;
}

const HOW = 'Name the shape (--handle, or --table and what else it is read with) and one row (--pk, --key or --row).';
const NO_EXPLAIN = 'The service knows no explanations: it is of an older version.';

function isNamed({ flags }: CommandContext): boolean {
  const rows = ROW_FLAGS.filter(({ flag }) => flags[flag] !== undefined);
  return (flags['handle'] !== undefined || flags['table'] !== undefined) && rows.length === 1;
}

/** As a read has them: `params[1]`, `params[2]`, … */
function numbered(json: string): Readonly<Record<string, string>> | undefined {
  const values = z.array(z.string()).safeParse(jsonOf(json));
  return values.data && Object.fromEntries(values.data.map((value, index) => [`params[${index + 1}]`, value]));
}

function told({ verdict, filter, subqueries, log }: Explanation): string {
  const lines = [
    `${printable(verdict.message)} (${printable(verdict.code)})`,
    ...(filter ? ['', 'Filter:', ...partLines(filter.root, '  ')] : []),
    ...(subqueries ?? []).flatMap((subquery, index) => (index === 0 ? ['', 'Subqueries:'] : []).concat(`  ${subqueryText(subquery)}`)),
    ...(log ? ['', `Log, looked through from ${printable(log.looked_from)}:`, ...entryLines(log.entries)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** A part that the filter does not need for its verdict stands in parentheses. */
function partLines({ text, result, value, error, asked, parts = [] }: z.output<typeof part>, indent: string): readonly string[] {
  const outcome = result === 'value' ? (value ?? 'NULL') : error ? `error: ${error.message}` : result;
  const line = `${printable(text)} → ${printable(outcome)}`;
  return [`${indent}${asked ? line : `(${line})`}`, ...parts.flatMap((inner) => partLines(inner, `${indent}  `))];
}

function subqueryText({ table, left, selected, selected_now: now }: NonNullable<Explanation['subqueries']>[number]): string {
  const said = (is: boolean | null | undefined): string => (is === true ? 'yes' : is === false ? 'no' : 'not known');
  const member = `${JSON.stringify(left)} of ${table ?? 'an unknown table'}`;
  return printable(`${member}: taken by the shape ${said(selected)}, selected now ${said(now)}`);
}

function entryLines(entries: readonly { readonly offset: string; readonly message?: unknown }[]): readonly string[] {
  if (entries.length === 0) return ['  nothing of this row'];
  return entries.map(({ offset, message }) => `  ${printable(`${offset}  ${JSON.stringify(message)}`)}`);
}
