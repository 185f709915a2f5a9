/** Shape view: one shape, what it depends on, and who holds what back. */
import type { ShapeView } from '../../views/shapes.ts';
import { bytes, clock, count, counted, orDash } from '../format.ts';
import { useTopic } from '../live.ts';
import { addressOf, Link, usePlace } from '../navigation.tsx';
import { Empty, Shown } from '../parts/notes.tsx';
import { Linked, Links } from '../parts/process-links.tsx';
import { DependencyGraph } from '../parts/shape-graph.tsx';
import { share } from './shapes-view.tsx';
import { Since } from './tree-view.tsx';

export function ShapePage() {
  const handle = usePlace().query.get('handle') ?? '';
  const seen = useTopic<ShapeView>(`shape:${handle}`);
  return <Shown seen={seen}>{(view) => <Shape view={view} />}</Shown>;
}

function Shape({ view }: { readonly view: ShapeView }) {
  return (
    <>
      <h1>{view.table} <span class="faint">{view.handle}</span></h1>
      <p>
        <code class="wrap">{view.where ?? 'all rows'}</code>{' '}
        {view.params.map((param, index) => <code key={index}>{`$${index + 1} = ${param} `}</code>)}
      </p>
      {view.pinsLog && <p class="note warm">It holds our transaction log back: nothing behind its position can be released.</p>}
      <Facts view={view} />
      <section class="card">
        <h2>Depends on, and is depended on</h2>
        <DependencyGraph graph={view.graph} handle={view.handle} />
      </section>
      <section class="card">
        <h2>Last transactions</h2>
        {view.transactions.length === 0
          ? <Empty>None while somebody looked.</Empty>
          : (
            <ol class="steps" reversed>
              {view.transactions.map(({ atMs, lsn, offset }) => (
                <li key={offset}>
                  <time>{clock(atMs)}</time> <Link to={addressOf('messages', { lsn })}>{lsn}</Link> up to <code>{offset}</code>
                </li>
              ))}
            </ol>
          )}
      </section>
      <Links title="Materializers" links={view.materializers} />
    </>
  );
}

function Facts({ view }: { readonly view: ShapeView }) {
  return (
    <dl class="facts">
      <div><dt>Consumer</dt><dd>{view.consumer === null ? 'none' : <Linked link={view.consumer} />}</dd></div>
      <div><dt>offset</dt><dd><code>{view.offset}</code></dd></div>
      <div><dt>snapshot</dt><dd>{view.snapshot}, {bytes(view.snapshotBytes)}</dd></div>
      <div><dt>lines behind it</dt><dd>{bytes(view.lineBytes)}</dd></div>
      <div><dt>rows</dt><dd>{view.rows === null ? 'not counted' : count(view.rows)}</dd></div>
      <div>
        <dt>work</dt>
        <dd>
          {counted(view.work.lines, 'line')}, {bytes(view.work.bytes)}
          {view.work.share !== null && `; of all in the last minute ${share(view.work.share)}`}
        </dd>
      </div>
      <div><dt>clients</dt><dd>{count(view.clients)}</dd></div>
      <div>
        <dt>lag</dt>
        <dd>{view.lagBytes === 0 ? 'none' : bytes(view.lagBytes)} {view.waitsAt !== null && `waits at ${view.waitsAt}`}</dd>
      </div>
      {view.bufferedMoves !== null && <div><dt>moves to take</dt><dd>{count(view.bufferedMoves)}</dd></div>}
      <div><dt>columns</dt><dd>{view.columns === null ? 'all' : view.columns.join(', ')}</dd></div>
      <div><dt>primary key</dt><dd>{orDash(view.primaryKey.join(', '))}</dd></div>
      <div><dt>replica, log</dt><dd>{view.replica}, {view.log}</dd></div>
      <div><dt>for</dt><dd><Since atMs={view.sinceMs} /></dd></div>
      <div><dt>explain</dt><dd><Link to={addressOf('explain', { handle: view.handle })}>why is a row (not) here?</Link></dd></div>
    </dl>
  );
}
