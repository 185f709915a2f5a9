/** Process view: all of one process. Its statechart with the state lit, what it did last, whom it knows. */
import { useState } from 'preact/hooks';
import type { DeathsView, DeathView } from '../../views/deaths.ts';
import type { ProcessView } from '../../views/processes.ts';
import type { ServiceView } from '../../views/service.ts';
import { getJson } from '../browser.ts';
import { bytes, clock, count, duration, orDash } from '../format.ts';
import { errorOf, useAnswer, useTopic } from '../live.ts';
import { addressOf, Link, usePlace } from '../navigation.tsx';
import { enteredState, leftState } from '../../charts/active-states.ts';
import { Chart } from '../parts/chart.tsx';
import { Empty, Failed, Loading, Shown } from '../parts/notes.tsx';
import { Linked, Links, ProcessName } from '../parts/process-links.tsx';
import { Death } from './deaths-view.tsx';
import { Since, StateWord } from './tree-view.tsx';

export function ProcessPage() {
  const pid = usePlace().query.get('pid') ?? '';
  const { view, error } = useTopic<ProcessView>(`process:${pid}`);
  if (error?.code === 'unknown_process') return <Ended pid={pid} last={view} />;
  if (view === undefined) return error === undefined ? <Loading /> : <Failed error={error} />;
  return <Process view={view} />;
}

function Process({ view }: { readonly view: ProcessView }) {
  return (
    <>
      <nav aria-label="Supervisors" class="ancestors">
        {view.ancestors.map((link) => <span key={link.address}><Linked link={link} /> ▸ </span>)}
      </nav>
      <h1>{view.id} <span class="faint">{view.pid}</span> <StateWord text={view.state} sleeps={view.hibernates} /></h1>
      <Facts view={view} />
      <div class="columns">
        <section class="wide">
          <h2>Statechart</h2>
          {view.machine === null
            ? <Empty>It is a port: it owns a socket, a file or a pool, and has no machine.</Empty>
            : <Chart machine={view.machine} counts={new Map([[view.state, 1]])} taken={view.transitions.slice(0, 1)} />}
        </section>
        <div>
          <Transitions view={view} />
          <Events view={view} />
          <Context view={view} />
          <Links title="Links" links={view.links} />
          <Links title="Monitors" links={view.monitors} />
          <Links title="Monitored by" links={view.monitoredBy} />
          <Timers timers={view.timers} />
        </div>
      </div>
    </>
  );
}

function Facts({ view }: { readonly view: ProcessView }) {
  const { intensity } = view.supervision ?? {};
  return (
    <dl class="facts">
      <div><dt>kind</dt><dd><Link to={addressOf('population', { kind: view.kind })}>{view.kind}</Link></dd></div>
      <div><dt>names</dt><dd>{orDash(view.names.join(', '))}</dd></div>
      {view.label !== null && <div><dt>label</dt><dd>{view.label}</dd></div>}
      {view.shape !== null && <div><dt>shape</dt><dd><Link to={addressOf('shape', { handle: view.shape })}>{view.shape}</Link></dd></div>}
      <div><dt>mailbox</dt><dd>{count(view.mailbox)}</dd></div>
      <div><dt>handled</dt><dd>{count(view.handled)}</dd></div>
      <div><dt>restarts</dt><dd>{count(view.restarts)}</dd></div>
      <div><dt>memory</dt><dd>{bytes(view.memoryBytes)}</dd></div>
      <div><dt>for</dt><dd><Since atMs={view.sinceMs} /></dd></div>
      {view.supervision !== null && <div><dt>strategy</dt><dd>{view.supervision.strategy}</dd></div>}
      {intensity !== undefined && (
        <div><dt>restarts left</dt><dd>{intensity.left} of {intensity.maxRestarts} in {intensity.maxSeconds} s</dd></div>
      )}
      <div><dt>messages</dt><dd><Link to={addressOf('messages', { process: view.pid })}>as a sequence</Link></dd></div>
      {view.ancestors.length > 0 && <EndButton pid={view.pid} />}
    </dl>
  );
}

/** In the demo alone: who sees a process end sees what its supervisor is there for. */
function EndButton({ pid }: { readonly pid: string }) {
  const { view } = useAnswer<ServiceView>('/_observer/api/service');
  const [refusal, setRefusal] = useState('');
  if (view?.canEnd !== true) return null;
  const end = async (): Promise<void> => {
    const init = { method: 'POST', headers: { 'x-armature-observer': 'end' } };
    const ending = getJson(`/_observer/api/end?pid=${encodeURIComponent(pid)}`, init);
    setRefusal(await ending.then(() => '', (error: unknown) => errorOf(error).message));
  };
  return <div><dt>demo</dt><dd><button type="button" class="end" onClick={() => void end()}>End this process</button> {refusal}</dd></div>;
}

function Transitions({ view: { transitions, recording } }: { readonly view: ProcessView }) {
  return (
    <section class="card">
      <h2>Last transitions</h2>
      {transitions.length === 0
        ? <Empty>None since {recording.sinceMs === null ? 'somebody began to look' : clock(recording.sinceMs)}.</Empty>
        : (
          <ol class="steps" reversed>
            {transitions.slice(0, 12).map(({ n, atMs, event, from, to }) => (
              <li key={n}><time>{clock(atMs)}</time> <b>{event}</b><br /><code>{leftState(from, to)} → {enteredState(from, to)}</code></li>
            ))}
          </ol>
        )}
    </section>
  );
}

function Events({ view: { events } }: { readonly view: ProcessView }) {
  if (events.length === 0) return null;
  return (
    <section class="card">
      <h2>Last events</h2>
      <ol class="steps" reversed>
        {events.map(({ n, atMs, from, type, text }) => (
          <li key={n}>
            <time>{clock(atMs)}</time> <b>{type}</b> <span class="faint">from {from}</span><br /><code class="wrap">{text}</code>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Context({ view: { context, tables, tags } }: { readonly view: ProcessView }) {
  if (context === null) return null;
  return (
    <section class="card">
      <h2>Context {tags.length > 0 && <span class="faint">{tags.join(' ')}</span>}</h2>
      <pre class="context" tabIndex={0}>{indented(context)}</pre>
      {tables.length > 0 && <p class="faint">Tables: {tables.join(', ')}</p>}
    </section>
  );
}

/** What is shortened is no JSON any more, and shown as it is. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function Timers({ timers }: { readonly timers: ProcessView['timers'] }) {
  if (timers.length === 0) return null;
  return (
    <section class="card">
      <h2>Timers</h2>
      <ul class="plain">
        {timers.map(({ name, leftForMs, content }) => (
          <li key={name}>{name} in {duration(leftForMs)} <code class="wrap">{content}</code></li>
        ))}
      </ul>
    </section>
  );
}

function Ended({ pid, last }: { readonly pid: string; readonly last: ProcessView | undefined }) {
  const seen = useAnswer<DeathsView>('/_observer/api/deaths?limit=200', 1_000);
  return (
    <>
      <h1>{last?.id ?? 'Process'} <span class="faint">{pid}</span> has ended</h1>
      <Shown seen={seen}>{({ deaths }) => <LastWords death={deaths.find((death) => death.pid === pid)} />}</Shown>
    </>
  );
}

function LastWords({ death }: { readonly death: DeathView | undefined }) {
  if (death === undefined) return <Empty>No card is left of it: it never was, or ended long ago.</Empty>;
  const next = death.decision.restartedAs;
  return (
    <>
      {next !== null && <p>Its supervisor has started it again: <ProcessName pid={next} /></p>}
      <Death death={death} />
      {death.machine !== null && death.stateBefore !== null && (
        <Chart machine={death.machine} counts={new Map([[death.stateBefore, 1]])} taken={[]} />
      )}
    </>
  );
}
