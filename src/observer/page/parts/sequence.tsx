/**
 * Sequence: messages between processes as a diagram, each process a lane, time downwards in causal order. An arrow goes
 * to the lane that the message was sent to; a box on a lane is a new state; a cross is an end.
 */
import type { LaneView, SequenceStep } from '../../views/messages.ts';
import type { MessageView } from '../../views/processes.ts';
import { enteredState } from '../../charts/active-states.ts';
import { addressOf, go } from '../navigation.tsx';
import { clock } from '../format.ts';

const LANE = { width: 168, left: 96 };
const ROW = 24;
const HEAD = 44;

interface SequenceProps {
  readonly lanes: readonly LaneView[];
  readonly steps: readonly SequenceStep[];
  readonly chosen: number | undefined;
  readonly choose: (step: SequenceStep) => void;
}

export function Sequence({ lanes, steps, chosen, choose }: SequenceProps) {
  const xs = new Map(lanes.map(({ pid }, index) => [pid, LANE.left + LANE.width / 2 + index * LANE.width]));
  const width = LANE.left + lanes.length * LANE.width;
  const height = steps.length * ROW + 12;
  return (
    <figure class="chart sequence" tabIndex={0} aria-label="Sequence of messages">
      <svg class="heads" viewBox={`0 0 ${width} ${HEAD}`} width={width} height={HEAD} aria-hidden="true">
        {lanes.map((lane) => <Head key={lane.pid} lane={lane} x={xs.get(lane.pid) ?? 0} />)}
      </svg>
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img"
        aria-label={`${steps.length} steps between ${lanes.length} processes; the list has the same in words`}>
        <defs>
          <marker id="message" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path class="arrow" d="M0 0L8 4L0 8z" />
          </marker>
        </defs>
        {[...xs].map(([pid, x]) => <path key={pid} class="lifeline" d={`M${x} 0V${height}`} />)}
        {steps.map((step, index) => (
          <g key={`${step.step} ${step.n}`} class={`step${step.n === chosen ? ' chosen' : ''}`} onClick={() => choose(step)}>
            <rect class="row" x={0} y={index * ROW} width={width} height={ROW} />
            <text class="action" x={4} y={index * ROW + 16}>{clock(step.atMs)}</text>
            <Step step={step} xs={xs} y={index * ROW + 16} />
          </g>
        ))}
      </svg>
    </figure>
  );
}

function Head({ lane: { pid, kind, name, state }, x }: { readonly lane: LaneView; readonly x: number }) {
  return (
    <g class={state === null ? 'lane gone' : 'lane'} onClick={() => go(addressOf('process', { pid }))}>
      <title>{`${pid} ${state ?? 'has ended'}`}</title>
      <text class="name" x={x} y={16} text-anchor="middle">{shortened(name ?? kind ?? pid, 20)}</text>
      <text class="action" x={x} y={32} text-anchor="middle">{shortened(pid, 26)}</text>
    </g>
  );
}

function Step({ step, xs, y }: { readonly step: SequenceStep; readonly xs: ReadonlyMap<string, number>; readonly y: number }) {
  if (step.step === 'message') return <Message step={step} from={xs.get(step.from)} to={xs.get(step.to)} y={y} isPinned={step.isPinned} />;
  const x = xs.get(step.pid) ?? 0;
  const text = step.step === 'transition' ? `▸ ${enteredState(step.from, step.to)}` : `${SIGNS[step.step]} ${step.text}`;
  return <text class={step.step === 'exit' ? 'death' : 'guard'} x={x + 6} y={y}><title>{text}</title>{shortenedLeft(text, 30)}</text>;
}

const SIGNS = { spawn: '+ started', exit: '✕', restart: '↻ again', hibernate: '☾ sleeps', wake: '☀ wakes' };

interface MessageProps {
  readonly step: MessageView;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly y: number;
  readonly isPinned: boolean;
}

function Message({ step: { type, text }, from, to, y, isPinned }: MessageProps) {
  const [begin = 0, end = 0] = [from ?? to, to ?? from];
  const isOwn = begin === end;
  const way = isOwn ? `M${begin} ${y - 8}h22v10h-20` : `M${begin} ${y + 2}H${end}`;
  const x = isOwn ? begin + 28 : Math.min(begin, end) + 8;
  return (
    <g class={isPinned ? 'message pinned' : 'message'}>
      <title>{`${type} ${text}`}</title>
      <path class="line" d={way} marker-end="url(#message)" />
      <text class="event" x={x} y={y - 2}>{shortened(type, Math.max(20, Math.floor(Math.abs(end - begin) / 7) - 2))}</text>
    </g>
  );
}

function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** The end of a state's name says more than its beginning. */
function shortenedLeft(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, 2)}…${text.slice(3 - max)}`;
}
