/**
 * Chart: a machine as it was laid out, with what is so now. States light up, counts stand in them, lines pulse; the
 * places never move, so that an eye finds a state again.
 */
import { activeStates } from '../../charts/active-states.ts';
import type { TextLine } from '../../charts/chart-text.ts';
import { isWithin } from '../../charts/chart-parts.ts';
import type { ChartView } from '../../views/chart.ts';
import type { PlacedChart, PlacedLine, PlacedPart, PlacedState } from '../../charts/placed-chart.ts';
import { pathOf, textPlaces } from '../../charts/svg-chart.ts';
import { takenLines, type Taken } from '../../charts/taken-lines.ts';
import { count } from '../format.ts';
import { useAnswer } from '../live.ts';
import { useLayout } from './laid-out.ts';
import { Empty, Failed, Loading } from './notes.tsx';

export interface ChartProps {
  readonly machine: string;
  /** States as one line of text, with how many processes are in each. */
  readonly counts: ReadonlyMap<string, number>;
  readonly taken: readonly Taken[];
  /** Of many processes: the counts stand in the states. */
  readonly isCounted?: boolean;
}

export function Chart({ machine, counts, taken, isCounted = false }: ChartProps) {
  const { view, error } = useAnswer<ChartView>(`/_observer/api/chart?machine=${encodeURIComponent(machine)}`);
  const laidOut = useLayout(view?.placed === null ? view.graph : null);
  if (error !== undefined) return <Failed error={error} />;
  if (view === undefined) return <Loading />;
  const { placed, graph } = view;
  if (placed === null && graph === null) return <Empty>Nothing lives that has this machine, so nobody can draw it.</Empty>;
  const chart = placed ?? laidOut;
  if (chart === undefined) return <p class="note" role="status">Laying the machine out …</p>;
  return <Parts chart={chart} counts={counts} taken={taken} isCounted={isCounted} />;
}

type PartsProps = Omit<ChartProps, 'machine'> & { readonly chart: PlacedChart; readonly isCounted: boolean };

function Parts({ chart: { machine, parts }, counts, taken, isCounted }: PartsProps) {
  const lines = parts.flatMap((part) => part.lines);
  const taking = new Set(taken.flatMap((way) => takenLines(lines, way)));
  const inStates = countsById(counts);
  return (
    <div class="charts">
      {parts.map((part) => <Part key={part.root} title={machine} part={part} shown={{ inStates, taking, isCounted }} />)}
    </div>
  );
}

interface Now {
  readonly inStates: ReadonlyMap<string, number>;
  readonly taking: ReadonlySet<PlacedLine>;
  readonly isCounted: boolean;
}

interface PartProps {
  readonly title: string;
  readonly part: PlacedPart;
  readonly shown: Now;
}

function Part({ title, part: { root, width, height, states, lines }, shown }: PartProps) {
  const arrow = `arrow-${root.replaceAll('.', '-')}`;
  const lit = [...shown.inStates.keys()].filter((id) => isWithin(id, root)).join(', ');
  const name = `Statechart of ${title} ${root}; active: ${lit === '' ? 'none of these states' : lit}`;
  return (
    <figure class="chart" tabIndex={0} aria-label={name}>
      {root !== '' && <figcaption>Inside <code>{root}</code></figcaption>}
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={name}>
        <defs>
          <marker id={arrow} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path class="arrow" d="M0 0L8 4L0 8z" />
          </marker>
        </defs>
        {states.map((state) => <State key={`${state.kind} ${state.id}`} state={state} shown={shown} />)}
        {lines.map((line, index) => (
          <path key={index} class={shown.taking.has(line) ? 'line taken' : 'line'} d={pathOf(line)} marker-end={`url(#${arrow})`} />
        ))}
        {lines.map((line, index) => line.label.lines.length > 0 && <Label key={index} line={line} isTaken={shown.taking.has(line)} />)}
      </svg>
    </figure>
  );
}

function Label({ line: { label }, isTaken }: { readonly line: PlacedLine; readonly isTaken: boolean }) {
  return (
    <g class={isTaken ? 'label taken' : 'label'}>
      <rect x={label.x} y={label.y} width={label.width} height={label.height} />
      <Words lines={label.lines} x={label.x + 2} top={label.y + 2} />
    </g>
  );
}

interface StateProps {
  readonly state: PlacedState;
  readonly shown: Now;
}

function State({ state: { id, kind, lines, x, y, width, height }, shown: { inStates, isCounted } }: StateProps) {
  if (kind === 'start') return <circle class="start" cx={x + width / 2} cy={y + height / 2} r={width / 2} />;
  const inIt = kind === 'any' ? 0 : (inStates.get(id) ?? 0);
  return (
    <g class={`state ${kind}${inIt > 0 ? ' lit' : ''}`}>
      <rect x={x} y={y} width={width} height={height} rx={6} />
      <Words lines={lines} x={x + 10} top={y + 6} />
      {isCounted && inIt > 0 && <text class="count" x={x + width - 6} y={y - 4} text-anchor="end">{count(inIt)}</text>}
    </g>
  );
}

function Words({ lines, x, top }: { readonly lines: readonly TextLine[]; readonly x: number; readonly top: number }) {
  return (
    <>
      {textPlaces(lines, top).map(({ text, style, y }, index) => <text key={index} class={style} x={x} y={y}>{text}</text>)}
    </>
  );
}

function countsById(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const byId = new Map<string, number>();
  for (const [text, processes] of counts) {
    for (const id of activeStates(text)) byId.set(id, (byId.get(id) ?? 0) + processes);
  }
  return byId;
}
