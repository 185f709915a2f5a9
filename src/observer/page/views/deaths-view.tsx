/** Deaths view: a card for each process that ended: why, in which state, after which events, and what its supervisor did. */
import { useState } from 'preact/hooks';
import type { DeathsView, DeathView } from '../../views/deaths.ts';
import { clock, count, counted, duration } from '../format.ts';
import { useTopic } from '../live.ts';
import { Empty, Shown } from '../parts/notes.tsx';
import { Linked, ProcessName } from '../parts/process-links.tsx';

export function DeathsPage() {
  const [areAllShown, showAll] = useState(false);
  const seen = useTopic<DeathsView>('deaths');
  return (
    <>
      <h1>Deaths</h1>
      <Shown seen={seen}>
        {({ deaths, faults, ends }) => {
          const shown = areAllShown ? deaths : deaths.filter(({ isFault }) => isFault);
          return (
            <>
              <p>{counted(faults, 'fault')} among {counted(ends, 'end')} since the service started.</p>
              <label class="bar">
                <input type="checkbox" checked={areAllShown} onChange={(event) => showAll(event.currentTarget.checked)} />
                Show those too that ended in good order
              </label>
              {shown.length === 0 && <Empty>{areAllShown ? 'No process has ended yet.' : 'No process has failed.'}</Empty>}
              <ul class="plain cards">{shown.map((death) => <li key={death.n}><Death death={death} /></li>)}</ul>
            </>
          );
        }}
      </Shown>
    </>
  );
}

export function Death({ death }: { readonly death: DeathView }) {
  const { pid, id, kind, label, atMs, reason, isFault, stateBefore, livedForMs, handled, decision, supervisor } = death;
  const why = reason.error === null ? reason.text : `${reason.error.name}: ${reason.error.message}`;
  const left = decision.intensity;
  return (
    <article class={isFault ? 'card death fault' : 'card death'} aria-label={`End of ${pid}`}>
      <h3>{id} <span class="faint">{pid} {kind} {label}</span></h3>
      <p class="reason"><time>{clock(atMs)}</time> <strong>{why}</strong></p>
      <dl class="facts">
        <div><dt>state before</dt><dd><code>{stateBefore ?? 'never began'}</code></dd></div>
        <div><dt>lived for</dt><dd>{duration(livedForMs)}</dd></div>
        <div><dt>handled</dt><dd>{count(handled)}</dd></div>
        <div><dt>supervisor</dt><dd>{supervisor === null ? 'none' : <Linked link={supervisor} />}</dd></div>
        <div>
          <dt>decision</dt>
          <dd>{decision.text} {decision.restartedAs !== null && <ProcessName pid={decision.restartedAs} />}</dd>
        </div>
        {left !== null && <div><dt>restarts left</dt><dd>{left.left} of {left.maxRestarts} in {left.maxSeconds} s</dd></div>}
      </dl>
      <details>
        <summary>Last events</summary>
        {!death.areEventsRecorded && <p class="faint">They were not recorded. Last it handled: {death.lastEvent ?? 'nothing'}.</p>}
        <ol class="steps" reversed>
          {death.lastEvents.map(({ n, atMs: at, from, type, text }) => (
            <li key={n}><time>{clock(at)}</time> <b>{type}</b> <span class="faint">from {from}</span> <code class="wrap">{text}</code></li>
          ))}
        </ol>
        {death.context !== null && <pre class="context" tabIndex={0}>{death.context}</pre>}
        {typeof reason.error?.stack === 'string' && <pre class="context" tabIndex={0}>{reason.error.stack}</pre>}
      </details>
    </article>
  );
}
