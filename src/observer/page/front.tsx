/**
 * The front page: in the demo its table, row by row as it changes. It asks for a shape as every client does: first all there
 * is, then for what comes behind that, with a request that waits.
 */
import { render } from 'preact';
import type { ServiceView } from '../views/service.ts';
import { after, getJson, RefusedError } from './browser.ts';
import './observer.css';

interface LogEntry {
  readonly key?: string;
  readonly value?: Readonly<Record<string, string | null>>;
  readonly headers: { readonly operation?: 'insert' | 'update' | 'delete'; readonly control?: string };
}

interface Row {
  readonly value: Readonly<Record<string, string | null>>;
  /** Since when it is as it is: the newest come first. */
  readonly turn: number;
}

const QUESTION = 'table=issues&where=status%3D%27open%27';
const ROWS_SHOWN = 15;
const RETRY_MS = 2_000;
const UNAUTHORIZED = 401;

const holder = document.querySelector('#rows');
const example = document.querySelector('#ask');
if (example !== null) example.textContent = `curl -i '${location.origin}/v1/shape?table=issues&offset=-1'`;

getJson<ServiceView>('/_observer/api/service').then(
  ({ canEnd }) => {
    if (canEnd && holder !== null) follow(holder);
  },
  () => undefined, // No observer, no demo: the page says what it says.
);

function follow(element: Element): void {
  let rows = new Map<string, Row>();
  let turn = 0;
  /** @returns where it goes on. */
  const read = async (place: string): Promise<string> => {
    const response = await fetch(`/v1/shape?${QUESTION}&${place}`);
    const [handle, offset] = [response.headers.get('electric-handle') ?? '', response.headers.get('electric-offset') ?? ''];
    if (response.status === 409) {
      rows = new Map();
      return `offset=-1&handle=${handle}`;
    }
    if (!response.ok) throw new RefusedError(response.status, String(response.status), 'The shape was refused.');
    const entries = response.status === 204 ? [] : ((await response.json()) as readonly LogEntry[]);
    turn += 1;
    for (const entry of entries) take(rows, entry, turn);
    render(<Rows rows={rows} newest={turn} />, element);
    const isLive = response.headers.has('electric-up-to-date');
    const cursor = response.headers.get('electric-cursor');
    return `handle=${handle}&offset=${offset}${isLive ? `&live=true${cursor === null ? '' : `&cursor=${cursor}`}` : ''}`;
  };
  const readOn = async (): Promise<never> => {
    for (let place = 'offset=-1'; ;) place = await read(place);
  };
  readOn().catch((error: unknown) => {
    if (error instanceof RefusedError && error.status === UNAUTHORIZED) return; // Without the secret it stays so.
    after(RETRY_MS, () => follow(element));
  });
}

function take(rows: Map<string, Row>, { key, value = {}, headers }: LogEntry, turn: number): void {
  if (key === undefined) return;
  if (headers.operation === 'delete') rows.delete(key);
  else rows.set(key, { value: { ...rows.get(key)?.value, ...value }, turn });
}

function Rows({ rows, newest }: { readonly rows: ReadonlyMap<string, Row>; readonly newest: number }) {
  const shown = [...rows].sort(([, one], [, other]) => other.turn - one.turn).slice(0, ROWS_SHOWN);
  const columns = Object.keys(shown[0]?.[1].value ?? {});
  return (
    <div class="scroll">
      <table>
        <caption>{rows.size} open issues, live: the last that changed come first</caption>
        <thead><tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr></thead>
        <tbody>
          {shown.map(([key, { value, turn }]) => (
            <tr key={`${key} ${turn}`} class={turn === newest && turn > 1 ? 'fresh' : undefined}>
              {columns.map((column) => <td key={column}>{value[column] ?? '–'}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
