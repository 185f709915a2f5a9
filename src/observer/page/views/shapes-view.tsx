/** Shapes view: what is kept in step, for whom, and how far it has come; and the numbers of the last minutes. */
import type { PlotSeries, PlotsView } from '../../views/plots.ts';
import type { ShapeRow, ShapesView } from '../../views/shapes.ts';
import { bytes, count, counted, orDash } from '../format.ts';
import { useAnswer, useTopic } from '../live.ts';
import { addressOf, go, Link, usePlace } from '../navigation.tsx';
import { Empty, Shown } from '../parts/notes.tsx';
import { Pages, usePages } from '../parts/pages.tsx';
import { HeldBack } from '../parts/held-back.tsx';
import { LimitsUsed } from '../parts/limits-used.tsx';
import { Plot } from '../parts/plot.tsx';
import { SearchBox } from '../parts/search-box.tsx';
import { StateWord } from './tree-view.tsx';

const SORTS = ['table', 'clients', 'bytes', 'work', 'lag', 'since', 'offset'];
const EVERY_MS = 1_000;
const NO_SHAPE = 'No shape yet. The first client that asks for a table makes one.';

export function ShapesPage() {
  const { query } = usePlace();
  const [search, sort] = [query.get('search') ?? '', query.get('sort') ?? 'table'];
  const [after, turn] = usePages(`${search} ${sort}`);
  const look = (change: Readonly<Record<string, string>>): void => go(addressOf('shapes', { search, sort, ...change }), 'replace');
  const asked = new URLSearchParams(Object.entries({ search, sort, after }).filter(([, text]) => text !== ''));
  const seen = useAnswer<ShapesView>(`/_observer/api/shapes?${asked.toString()}`, EVERY_MS);
  return (
    <>
      <h1>Shapes</h1>
      <Plots />
      <form class="bar" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox text={search} hint="table, filter, handle …" change={(text) => look({ search: text })} />
        <label>Order
          <select value={sort} onChange={(event) => look({ sort: event.currentTarget.value })}>
            {SORTS.map((each) => <option key={each} value={each}>by {each}</option>)}
          </select>
        </label>
      </form>
      <Shown seen={seen}>
        {({ rows, matched, total, next, pinnedBy, limits }) => rows.length === 0
          ? <Empty>{total === 0 ? NO_SHAPE : `None of ${counted(total, 'shape')} matches.`}</Empty>
          : (
            <>
              <HeldBack by={pinnedBy} />
              <LimitsUsed limits={limits} />
              <ShapeTable rows={rows} caption={`${counted(matched, 'shape')} of ${count(total)}`} />
              <Pages after={after} next={next} turn={turn} />
            </>
          )}
      </Shown>
    </>
  );
}

function ShapeTable({ rows, caption }: { readonly rows: readonly ShapeRow[]; readonly caption: string }) {
  return (
    <div class="scroll">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">table</th><th scope="col">filter</th><th scope="col">handle</th><th scope="col">state</th>
            <th scope="col">offset</th>
            <th scope="col" class="number">clients</th><th scope="col" class="number">rows</th><th scope="col" class="number">size</th>
            <th scope="col" class="number" title="Lines made for it, and its part of all that were made in the last minute">work</th>
            <th scope="col" class="number">lag</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ handle, table, where, isInner, state, snapshot, offset, clients, rows: kept, bytes: size, work, lagBytes }) => (
            <tr key={handle}>
              <td>{table}</td>
              <td><code class="wrap">{where ?? ''}</code> {isInner && <span class="faint">for other shapes</span>}</td>
              <td class="handle"><Link to={addressOf('shape', { handle })}>{handle}</Link></td>
              <td><StateWord text={orDash(state)} /> {snapshot !== 'complete' && <span class="faint">snapshot {snapshot}</span>}</td>
              <td><code>{offset}</code></td>
              <td class="number">{count(clients)}</td>
              <td class="number">{kept === null ? '–' : count(kept)}</td>
              <td class="number">{bytes(size)}</td>
              <td class="number">{count(work.lines)} <span class="faint">{work.share !== null && share(work.share)}</span></td>
              <td class={lagBytes > 0 ? 'number warm' : 'number'}>{lagBytes === 0 ? '–' : bytes(lagBytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function share(part: number): string {
  return part > 0 && part < 0.01 ? '< 1 %' : `${Math.round(part * 100)} %`;
}

interface PlotPlan {
  readonly title: string;
  readonly names: Readonly<Partial<Record<PlotSeries['name'], string>>>;
  readonly format: (value: number) => string;
}

const perSecond = (value: number): string => count(Math.round(value * 10) / 10);
const PLANS: readonly PlotPlan[] = [
  { title: 'Per second', names: { transactions: 'transactions', published: 'shapes' }, format: perSecond },
  { title: 'Lines made for shapes, per second', names: { lines: '' }, format: perSecond },
  { title: 'Their bytes, per second', names: { lineBytes: '' }, format: bytes },
  { title: 'Commit to client, ms', names: { latencyP50: 'p50', latencyP99: 'p99' }, format: perSecond },
  { title: 'WAL that the slot keeps', names: { walRetained: '' }, format: bytes },
  { title: 'Mailboxes', names: { mailboxMax: 'fullest', mailboxSum: 'all' }, format: count },
  { title: 'Requests that wait', names: { parked: '' }, format: count },
  { title: 'Memory', names: { heapBytes: 'heap', rssBytes: 'in all' }, format: bytes },
];

function valuesOf(series: PlotsView['series'], name: string): PlotSeries['values'] {
  return series.find((each) => each.name === name)?.values ?? [];
}

export function Plots() {
  const seen = useTopic<PlotsView>('plots');
  return (
    <section aria-label="The last minutes" class="plots">
      <Shown seen={seen}>
        {({ seconds, series }) => PLANS.map(({ title, names, format }) => (
          <Plot key={title} title={title} seconds={seconds} format={format}
            curves={Object.entries(names).map(([name, label]) => ({ label, values: valuesOf(series, name) }))} />
        ))}
      </Shown>
    </section>
  );
}
