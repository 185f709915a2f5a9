/**
 * Messages view: a window of what was recorded, as a sequence of messages. It follows what happens until somebody stops
 * it; then the slider moves the window over what the recording still has.
 */
import { useState } from 'preact/hooks';
import type { MessagesView, SequenceStep, TransactionView } from '../../views/messages.ts';
import type { ProcessesView } from '../../views/processes.ts';
import { after, nowMs } from '../browser.ts';
import { bytes, clock, count, counted } from '../format.ts';
import { useAnswer } from '../live.ts';
import { addressOf, go, Link, usePlace, type Place } from '../navigation.tsx';
import { Empty, Shown } from '../parts/notes.tsx';
import { Sequence } from '../parts/sequence.tsx';

const STEPS_SHOWN = '120';
const EVERY_MS = 1_000;
/** The address of what is downloaded is used before it is forgotten. */
const LATER_MS = 1_000;

export function MessagesPage() {
  const { query } = usePlace();
  const isFollowing = query.get('to') === null;
  const asked = new URLSearchParams(query);
  asked.set('limit', STEPS_SHOWN);
  const seen = useAnswer<MessagesView>(`/_observer/api/messages?${asked.toString()}`, isFollowing ? EVERY_MS : undefined);
  return (
    <>
      <h1>Messages</h1>
      <Choice query={query} />
      <Shown seen={seen}>{(view) => <Window view={view} query={query} isFollowing={isFollowing} />}</Shown>
    </>
  );
}

function changed(query: Place['query'], change: Readonly<Record<string, string | undefined>>): string {
  const next = new URLSearchParams(query);
  for (const [name, text] of Object.entries(change)) {
    if (text === undefined || text === '') next.delete(name);
    else next.set(name, text);
  }
  return `${addressOf('messages')}${next.size === 0 ? '' : `?${next.toString()}`}`;
}

function Choice({ query }: { readonly query: Place['query'] }) {
  const [text, setText] = useState('');
  const chosen = query.getAll('process');
  const without = (pid: string): string => {
    const next = new URLSearchParams(query);
    next.delete('process', pid);
    return `${addressOf('messages')}?${next.toString()}`;
  };
  const add = (event: Event): void => {
    event.preventDefault();
    if (text.trim() === '') return;
    const next = new URLSearchParams(query);
    next.append('process', text.trim());
    go(`${addressOf('messages')}?${next.toString()}`);
    setText('');
  };
  const pin = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('transaction');
    const number = typeof given === 'string' ? given.trim() : '';
    go(changed(query, number.includes('/') ? { lsn: number, xid: undefined } : { xid: number, lsn: undefined }));
  };
  return (
    <div class="bar">
      <form class="bar" onSubmit={add}>
        <label>Processes
          <input list="pids" value={text} placeholder="pid or @name" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <Suggestions text={text} />
        <button type="submit">Add</button>
      </form>
      {chosen.map((pid) => <Link key={pid} class="chip" to={without(pid)}>{pid} ✕<span class="hidden"> take away</span></Link>)}
      <form class="bar" onSubmit={pin}>
        <label>Transaction
          <input name="transaction" placeholder="xid or LSN" defaultValue={query.get('xid') ?? query.get('lsn') ?? ''} />
        </label>
        <button type="submit">Pin</button>
      </form>
    </div>
  );
}

function Suggestions({ text }: { readonly text: string }) {
  const { view } = useAnswer<ProcessesView>(`/_observer/api/processes?limit=20&search=${encodeURIComponent(text)}`);
  return <datalist id="pids">{view?.rows.map(({ pid, name }) => <option key={pid} value={name ?? pid}>{pid}</option>)}</datalist>;
}

interface WindowProps {
  readonly view: MessagesView;
  readonly query: Place['query'];
  readonly isFollowing: boolean;
}

function Window({ view, query, isFollowing }: WindowProps) {
  const [chosen, choose] = useState<SequenceStep>();
  const [isList, setList] = useState(false);
  return (
    <>
      <Recording view={view} query={query} isFollowing={isFollowing} />
      {view.transaction !== null && <Way transaction={view.transaction} />}
      <label class="bar">
        <input type="checkbox" checked={isList} onChange={(event) => setList(event.currentTarget.checked)} /> As a list
      </label>
      {view.left > 0 && <p class="faint">Not shown: {counted(view.left, 'older step')} of this window.</p>}
      {view.steps.length === 0 && (
        <Empty>Nothing was said in this window. Recording begins when somebody looks; a change in the database sets messages going.</Empty>
      )}
      {view.steps.length > 0 && (isList
        ? <List steps={view.steps} />
        : <Sequence lanes={view.lanes} steps={view.steps} chosen={chosen?.n} choose={choose} />)}
      {chosen !== undefined && <Chosen step={chosen} />}
    </>
  );
}

function Recording({ view: { recording, fromMs, toMs }, query, isFollowing }: WindowProps) {
  const [beganMs, setBegan] = useState<number>();
  const [first, last] = [recording.fromMs ?? fromMs, recording.toMs ?? toMs];
  const scenario = (from: number, to: number): string => {
    const asked = new URLSearchParams({ from: String(from), to: String(to) });
    for (const pid of query.getAll('process')) asked.append('process', pid);
    return `/_observer/api/scenario?${asked.toString()}`;
  };
  const lookUntil = (to: string | undefined): void => go(changed(query, { to }), 'replace');
  const stop = (): void => void after(LATER_MS, () => setBegan(undefined));
  const end = scenario(beganMs ?? fromMs, nowMs() + LATER_MS);
  return (
    <div class="bar">
      <button type="button" aria-pressed={isFollowing} onClick={() => lookUntil(isFollowing ? String(toMs) : undefined)}>
        {isFollowing ? '❚❚ Hold' : '▶ Follow'}
      </button>
      <label class="grow">Until {clock(toMs)}
        <input type="range" min={first} max={Math.max(first, last)} value={toMs} step={10}
          onInput={(event) => lookUntil(event.currentTarget.value)} />
      </label>
      {beganMs === undefined
        ? <button type="button" onClick={() => setBegan(nowMs())}>● Record</button>
        : <a class="button" href={end} download="window.json" onClick={stop}>■ Stop and download</a>}
      <a class="button" href={scenario(fromMs, toMs)} download="window.json">Download this window</a>
      <span class="faint">
        {counted(recording.records, 'record')}, {bytes(recording.bytes)}
        {recording.fromMs === null ? '' : `, since ${clock(recording.fromMs)}`}
      </span>
    </div>
  );
}

const STAGES = {
  received: 'off the WAL',
  durable: 'durable',
  routed: 'routed',
  taken: 'in the shape',
  published: 'readable',
  answered: 'answered',
};

function Way({ transaction: { xid, lsn, stages } }: { readonly transaction: TransactionView }) {
  const begin = stages[0]?.atMs ?? 0;
  return (
    <section class="card">
      <h2>Transaction {xid ?? ''} <span class="faint">{lsn}</span></h2>
      {stages.length === 0
        ? <Empty>It has not come by while this was recorded.</Empty>
        : (
          <ol class="way">
            {stages.map(({ stage, atMs, handle, text }, index) => (
              <li key={index}><b>{STAGES[stage]}</b> <span>+{count(atMs - begin)} ms</span>
                {handle !== null && <Link to={addressOf('shape', { handle })}>{handle}</Link>} <span class="faint">{text}</span></li>
            ))}
          </ol>
        )}
    </section>
  );
}

function List({ steps }: { readonly steps: readonly SequenceStep[] }) {
  return (
    <ol class="steps">
      {steps.map((step) => <li key={`${step.step} ${step.n}`}><time>{clock(step.atMs)}</time> {wordsOf(step)}</li>)}
    </ol>
  );
}

function wordsOf(step: SequenceStep): string {
  if (step.step === 'message') return `${step.from} → ${step.to}: ${step.type} ${step.text}${step.isDropped ? ' (dropped)' : ''}`;
  if (step.step === 'transition') return `${step.pid}: ${step.event} leads from ${step.from ?? 'nothing'} to ${step.to}`;
  return `${step.pid}: ${step.step} ${step.text}`;
}

function Chosen({ step }: { readonly step: SequenceStep }) {
  return (
    <section class="card" aria-live="polite">
      <h2>{step.step === 'message' ? step.type : step.step} <span class="faint">{clock(step.atMs)}</span></h2>
      <p><code class="wrap">{wordsOf(step)}</code></p>
      {step.step === 'message' && step.deliveredAtMs !== null && <p class="faint">Handled {step.deliveredAtMs - step.atMs} ms later.</p>}
    </section>
  );
}
