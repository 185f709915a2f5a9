/** `armature shapes`: the shapes of a running service, as its observer tells them, page by page. */
import * as z from 'zod';
import { columnLines, byteText, type Column } from './columns.ts';
import type { CommandContext, Flag, ToolCommand } from './command.ts';
import { JSON_FLAG, textOf } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import {
  askService, NO_OBSERVER, serviceAddress, SERVICE_FLAGS, type Problems, type ServiceAddress, type ServiceAnswer,
} from './service-client.ts';
import { jsonLine, refused } from './terminal.ts';

const PAGE_MAX = 1000;
const LIMIT_DEFAULT = 100;
const SORTS = ['table', 'clients', 'bytes', 'lag', 'since', 'offset'];

const LIST_FLAGS: readonly Flag[] = [
  { flag: 'search', value: 'TEXT', help: 'those with this in their handle, table or filter', variables: [] },
  { flag: 'sort', value: SORTS.join('|'), help: 'by what (default: table)', variables: [] },
  { flag: 'limit', value: 'NUMBER', help: `how many at most (default: ${LIMIT_DEFAULT})`, variables: [] },
];

export const shapesCommand: ToolCommand = {
  name: 'shapes',
  summary: 'list the shapes of a running service',
  flags: [...SERVICE_FLAGS, ...LIST_FLAGS, JSON_FLAG],
  run: shapes,
};

const row = z.object({
  handle: z.string(),
  table: z.string(),
  where: z.string().nullable(),
  offset: z.string(),
  snapshot: z.string(),
  state: z.string().nullable(),
  bytes: z.number().nullable(),
  clients: z.number(),
  lagBytes: z.number(),
});
const page = z.object({ matched: z.number(), rows: z.array(row), next: z.string().nullable() });

type Answer = ServiceAnswer<typeof page> | Problems;
type ShapeRow = z.output<typeof row>;

interface Listing {
  readonly matched: number;
  readonly rows: readonly ShapeRow[];
  /** As the service gave them. */
  readonly bodies: readonly unknown[];
}

async function shapes(context: CommandContext): Promise<ExitCode> {
  const { flags, terminal } = context;
  const address = serviceAddress(context);
  const asked = whatIsAsked(context);
  const problems = [...('problems' in address ? address.problems : []), ...('problems' in asked ? asked.problems : [])];
  if ('problems' in address || 'problems' in asked) return refused(terminal, problems, EXIT.misused);
  const listing = await listed(address, asked);
  if ('problems' in listing) return refused(terminal, listing.problems, EXIT.failed);
  terminal.print(flags['json'] === undefined ? table(listing) : jsonLine({ matched: listing.matched, rows: listing.bodies }));
  return EXIT.done;
}

interface Asked {
  readonly search: string | undefined;
  readonly sort: string | undefined;
  readonly limit: number;
}

function whatIsAsked({ flags }: CommandContext): Asked | Problems {
  const { search, sort, limit = String(LIMIT_DEFAULT) } = flags;
  if (sort !== undefined && !SORTS.includes(String(sort))) return { problems: [`--sort must be one of ${SORTS.join(', ')}`] };
  if (!/^[1-9]\d{0,6}$/.test(String(limit))) return { problems: ['--limit must be a whole number from 1 to 9999999'] };
  return { search: textOf(search), sort: textOf(sort), limit: Number(limit) };
}

async function listed(address: ServiceAddress, { search, sort, limit }: Asked): Promise<Listing | Problems> {
  const rows: ShapeRow[] = [];
  const bodies: unknown[] = [];
  let matched = 0;
  let after: string | undefined;
  do {
    const query = { search, sort, limit: String(Math.min(PAGE_MAX, limit - rows.length)), after };
    const answer: Answer = await askService(address, { path: '/_observer/api/shapes', query, form: page, whenMissing: NO_OBSERVER });
    if ('problems' in answer) return answer;
    rows.push(...answer.view.rows);
    bodies.push(...(answer.body as { rows: unknown[] }).rows); // The form has them.
    matched = answer.view.matched;
    after = answer.view.rows.length === 0 ? undefined : (answer.view.next ?? undefined); // An empty page is the last, whatever it says.
  } while (after !== undefined && rows.length < limit);
  return { matched, rows, bodies };
}

const COLUMNS: readonly Column<ShapeRow>[] = [
  { title: 'HANDLE', of: ({ handle }) => handle },
  { title: 'TABLE', of: ({ table: name }) => name, widthMax: 40 },
  { title: 'WHERE', of: ({ where }) => where ?? '', widthMax: 50 },
  { title: 'OFFSET', of: ({ offset }) => offset },
  { title: 'STATE', of: ({ state, snapshot }) => (snapshot === 'complete' ? (state ?? '-') : `snapshot ${snapshot}`) },
  { title: 'BYTES', of: ({ bytes }) => (bytes === null ? '-' : byteText(bytes)), align: 'right' },
  { title: 'CLIENTS', of: ({ clients }) => String(clients), align: 'right' },
  { title: 'LAG', of: ({ lagBytes }) => (lagBytes === 0 ? '-' : byteText(lagBytes)), align: 'right' },
];

function table({ matched, rows }: Listing): string {
  const left = matched - rows.length;
  const more = left > 0 ? [`${left} more: --limit and --search say which`] : [];
  const lines = rows.length === 0 ? ['There is no such shape.'] : columnLines(rows, COLUMNS);
  return `${[...lines, ...more].join('\n')}\n`;
}
