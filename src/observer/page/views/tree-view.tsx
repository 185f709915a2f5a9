/**
 * Tree view: the supervision tree as it lives, one row per process, many of a kind in one row. Arrow keys walk it as
 * they walk any tree; a search goes through all processes, those that are folded too.
 */
import { hierarchy } from 'd3-hierarchy';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { ProcessesView } from '../../views/processes.ts';
import type { ProcessNode, ProcessRow, TreeNode, TreeView } from '../../views/tree.ts';
import { nowMs } from '../browser.ts';
import { bytes, count, counted, duration } from '../format.ts';
import { useAnswer, useTopic } from '../live.ts';
import { addressOf, go, Link, usePlace } from '../navigation.tsx';
import { Empty, Shown } from '../parts/notes.tsx';
import { Pages, usePages } from '../parts/pages.tsx';
import { ProcessName } from '../parts/process-links.tsx';
import { SearchBox } from '../parts/search-box.tsx';

const SORTS = ['mailbox', 'handled', 'restarts', 'memory', 'since', 'name', 'state'];

export function TreePage() {
  const { query } = usePlace();
  const [search, sort, kind] = [query.get('search') ?? '', query.get('sort') ?? '', query.get('kind') ?? ''];
  const look = (change: Readonly<Record<string, string>>): void => go(addressOf('tree', { search, sort, kind, ...change }), 'replace');
  return (
    <>
      <h1>Processes</h1>
      <form class="bar" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox text={search} hint="pid, name, state …" change={(text) => look({ search: text })} />
        <label>Order
          <select value={sort} onChange={(event) => look({ sort: event.currentTarget.value })}>
            <option value="">as a tree</option>
            {SORTS.map((each) => <option key={each} value={each}>by {each}</option>)}
          </select>
        </label>
        {kind !== '' && <Link class="chip" to={addressOf('tree', { search, sort })}>{kind} ✕<span class="hidden"> all kinds</span></Link>}
      </form>
      {`${search}${sort}${kind}` === '' ? <LiveTree /> : <Found search={search} sort={sort} kind={kind} />}
    </>
  );
}

function LiveTree() {
  const seen = useTopic<TreeView>('tree');
  return <Shown seen={seen}>{(view) => <Tree view={view} />}</Shown>;
}

interface Row {
  readonly key: string;
  readonly node: TreeNode;
  readonly level: number;
  readonly parent: string | undefined;
}

function Tree({ view }: { readonly view: TreeView }) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState('');
  const table = useRef<HTMLTableElement>(null);
  const rows = useMemo(() => rowsOf(view, folded), [view, folded]);
  const at = Math.max(0, rows.findIndex(({ key }) => key === current));
  const fold = (key: string, isFolded: boolean): void => {
    const others = [...folded].filter((each) => each !== key);
    setFolded(new Set(isFolded ? [...others, key] : others));
  };
  const walkTo = (index: number): void => {
    const row = rows[index];
    if (row === undefined) return;
    setCurrent(row.key);
    table.current?.querySelectorAll<HTMLElement>('tbody tr')[index]?.focus();
  };
  const parentOf = ({ parent }: Row): number => rows.findIndex(({ key }) => key === parent);
  const press = (event: KeyboardEvent): void => {
    const row = rows[at];
    if (row === undefined) return;
    const isParent = row.node.type === 'process' && row.node.children.length > 0;
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => walkTo(at + 1),
      ArrowUp: () => walkTo(at - 1),
      Home: () => walkTo(0),
      End: () => walkTo(rows.length - 1),
      ArrowRight: () => (isParent && folded.has(row.key) ? fold(row.key, false) : walkTo(at + 1)),
      ArrowLeft: () => (isParent && !folded.has(row.key) ? fold(row.key, true) : walkTo(parentOf(row))),
      Enter: () => go(addressOfNode(row.node)),
    };
    const act = acts[event.key];
    if (act === undefined || event.target instanceof HTMLAnchorElement) return;
    event.preventDefault();
    act();
  };
  return (
    <div class="scroll">
      <table role="treegrid" aria-label="Supervision tree" class="tree" ref={table} onKeyDown={press}>
        <caption>{counted(view.processes, 'process', 'processes')}. Arrow keys walk the tree, left folds, Enter opens.</caption>
        <thead>{heads()}</thead>
        <tbody>
          {rows.map((row, index) => (
            <TreeRow key={row.key} row={row} isCurrent={index === at} isFolded={folded.has(row.key)}
              fold={fold} take={() => setCurrent(row.key)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function heads() {
  return (
    <tr>
      <th scope="col">process</th><th scope="col">state</th><th scope="col" class="number">mailbox</th>
      <th scope="col" class="number">handled</th><th scope="col" class="number">restarts</th>
      <th scope="col" class="number">memory</th><th scope="col" class="number">for</th>
    </tr>
  );
}

/** The tree flattened in its order; what is folded ends there. */
function rowsOf({ roots }: TreeView, folded: ReadonlySet<string>): readonly Row[] {
  const rows: Row[] = [];
  for (const root of roots) {
    hierarchy<TreeNode>(root, (node) => (node.type === 'process' && !folded.has(node.pid) ? node.children : [])).eachBefore((place) => {
      const parent = place.parent === null ? undefined : keyOf(place.parent.data);
      rows.push({ key: keyOf(place.data), node: place.data, level: place.depth + 1, parent });
    });
  }
  return rows;
}

function keyOf(node: TreeNode): string {
  return node.type === 'process' ? node.pid : `${node.supervisor} ${node.kind}`;
}

function addressOfNode(node: TreeNode): string {
  return node.type === 'process' ? addressOf('process', { pid: node.pid }) : addressOf('population', { kind: node.kind });
}

interface TreeRowProps {
  readonly row: Row;
  readonly isCurrent: boolean;
  readonly isFolded: boolean;
  readonly fold: (key: string, isFolded: boolean) => void;
  readonly take: () => void;
}

function TreeRow({ row: { key, node, level }, isCurrent, isFolded, fold, take }: TreeRowProps) {
  const isParent = node.type === 'process' && node.childCount > 0;
  return (
    <tr role="row" aria-level={level} aria-expanded={isParent ? !isFolded : undefined} tabIndex={isCurrent ? 0 : -1} onFocus={take}
      class={node.type === 'process' && node.restarts > 0 ? 'restarted' : undefined}>
      <td role="gridcell" class={`indent level-${Math.min(level, 9)}`}>
        {isParent
          ? <Twisty of={node.id} isFolded={isFolded} turn={() => fold(key, !isFolded)} />
          : <span class="twisty" aria-hidden="true" />}
        {node.type === 'process' ? <Named node={node} /> : <Link to={addressOfNode(node)}>{counted(node.count, node.kind)}</Link>}
      </td>
      <td role="gridcell">
        {node.type === 'process' ? <StateWord text={node.state} sleeps={node.hibernates} /> : statesInWords(node.byState)}
      </td>
      {node.type === 'process'
        ? <Numbers {...node} />
        : <Numbers mailbox={node.mailboxMax} restarts={node.restarts} memoryBytes={node.memoryBytes} handled={null} sinceMs={null} />}
    </tr>
  );
}

function Twisty({ of, isFolded, turn }: { readonly of: string; readonly isFolded: boolean; readonly turn: () => void }) {
  return (
    <button type="button" class="twisty" tabIndex={-1} aria-label={`${isFolded ? 'Unfold' : 'Fold'} ${of}`} onClick={turn}>
      {isFolded ? '▸' : '▾'}
    </button>
  );
}

function Named({ node }: { readonly node: ProcessNode }) {
  return (
    <>
      <ProcessName pid={node.pid}>{node.id}</ProcessName>{' '}
      <span class="faint">{node.label ?? (node.name === `@${node.id}` ? '' : node.name)} {node.isSupervisor ? 'supervisor' : ''}</span>
    </>
  );
}

export function StateWord({ text, sleeps = false }: { readonly text: string; readonly sleeps?: boolean }) {
  return (
    <>
      <code class="state-word">{text}</code>
      {sleeps && <span class="faint" title="It waits, and takes little memory"> hibernates</span>}
    </>
  );
}

/** `4,790 live, 2 awaitingSnapshot`. */
export function statesInWords(byState: Readonly<Record<string, number>>): string {
  return Object.entries(byState).map(([state, processes]) => `${count(processes)} ${state}`).join(', ');
}

interface NumbersProps {
  readonly mailbox: number;
  readonly handled: number | null;
  readonly restarts: number;
  readonly memoryBytes: number;
  readonly sinceMs: number | null;
}

function Numbers({ mailbox, handled, restarts, memoryBytes, sinceMs }: NumbersProps) {
  return (
    <>
      <td role="gridcell" class={`number ${heatOf(mailbox, 4, 64)}`}>{count(mailbox)}</td>
      <td role="gridcell" class="number">{handled === null ? '' : count(handled)}</td>
      <td role="gridcell" class={`number ${heatOf(restarts, 1, 3)}`}>{count(restarts)}</td>
      <td role="gridcell" class="number">{bytes(memoryBytes)}</td>
      <td role="gridcell" class="number">{sinceMs === null ? '' : <Since atMs={sinceMs} />}</td>
    </>
  );
}

function heatOf(value: number, warm: number, hot: number): string {
  if (value >= hot) return 'hot';
  return value >= warm ? 'warm' : '';
}

export function Since({ atMs }: { readonly atMs: number }) {
  return <time dateTime={new Date(atMs).toISOString()}>{duration(nowMs() - atMs)}</time>; // Anew with each view: often enough.
}

function Found({ search, sort, kind }: { readonly search: string; readonly sort: string; readonly kind: string }) {
  const [after, turn] = usePages(`${search} ${sort} ${kind}`);
  const query = new URLSearchParams(Object.entries({ search, sort, kind, after, limit: '100' }).filter(([, text]) => text !== ''));
  const seen = useAnswer<ProcessesView>(`/_observer/api/processes?${query.toString()}`, 1_000);
  return (
    <Shown seen={seen}>
      {({ matched, total, rows, next }) => rows.length === 0
        ? <Empty>None of {counted(total, 'process', 'processes')} has that in its pid, name, label or state.</Empty>
        : (
          <>
            <div class="scroll">
              <table>
                <caption>{counted(matched, 'process', 'processes')} of {count(total)}</caption>
                <thead>{heads()}</thead>
                <tbody>{rows.map((row) => <FoundRow key={row.pid} row={row} />)}</tbody>
              </table>
            </div>
            <Pages after={after} next={next} turn={turn} />
          </>
        )}
    </Shown>
  );
}

function FoundRow({ row }: { readonly row: ProcessRow }) {
  const { pid, label, name, state, hibernates } = row;
  return (
    <tr>
      <td><ProcessName pid={pid} /> <span class="faint">{name} {label}</span></td>
      <td><StateWord text={state} sleeps={hibernates} /></td>
      <Numbers {...row} />
    </tr>
  );
}
