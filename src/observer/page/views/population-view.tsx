/** Population view: all processes of one kind in one chart. How many are in each state, and which ways they took just now. */
import type { PopulationsView, PopulationView } from '../../views/populations.ts';
import type { Population } from '../../views/tree.ts';
import { bytes, count, counted } from '../format.ts';
import { useTopic } from '../live.ts';
import { addressOf, Link, usePlace } from '../navigation.tsx';
import { enteredState, leftState } from '../../charts/active-states.ts';
import { Chart } from '../parts/chart.tsx';
import { Empty, Shown } from '../parts/notes.tsx';
import { statesInWords } from './tree-view.tsx';

export function PopulationsPage() {
  const seen = useTopic<PopulationsView>('populations');
  return (
    <>
      <h1>Populations</h1>
      <Shown seen={seen}>
        {({ populations }) => (
          <div class="scroll">
            <table>
              <caption>All processes, by kind</caption>
              <thead>
                <tr>
                  <th scope="col">kind</th><th scope="col" class="number">count</th><th scope="col">states</th>
                  <th scope="col" class="number">fullest mailbox</th><th scope="col" class="number">restarts</th>
                  <th scope="col" class="number">memory</th>
                </tr>
              </thead>
              <tbody>{populations.map((population) => <PopulationRow key={population.kind} population={population} />)}</tbody>
            </table>
          </div>
        )}
      </Shown>
    </>
  );
}

function PopulationRow({ population }: { readonly population: Population }) {
  const { kind, count: processes, byState, mailboxMax, restarts, memoryBytes } = population;
  return (
    <tr>
      <td><Link to={addressOf('population', { kind })}>{kind}</Link></td>
      <td class="number">{count(processes)}</td>
      <td>{statesInWords(byState)}</td>
      <td class="number">{count(mailboxMax)}</td>
      <td class="number">{count(restarts)}</td>
      <td class="number">{bytes(memoryBytes)}</td>
    </tr>
  );
}

export function PopulationPage() {
  const kind = usePlace().query.get('kind') ?? '';
  const seen = useTopic<PopulationView>(`population:${kind}`);
  return (
    <>
      <h1>{kind}</h1>
      <Shown seen={seen}>{(view) => <OnePopulation view={view} />}</Shown>
    </>
  );
}

function OnePopulation({ view }: { readonly view: PopulationView }) {
  return (
    <>
      <p>
        {counted(view.count, 'process', 'processes')}: {statesInWords(view.byState)}. {count(view.hibernating)} hibernate,{' '}
        {count(view.mailboxSum)} messages wait, {count(view.restarts)} restarts.{' '}
        <Link to={addressOf('tree', { kind: view.kind, sort: 'mailbox' })}>List them</Link>
      </p>
      <div class="columns">
        <section class="wide">
          <h2>Statechart of all</h2>
          {view.machine === null
            ? <Empty>Ports have no machine.</Empty>
            : <Chart machine={view.machine} counts={new Map(Object.entries(view.byState))} taken={view.edges} isCounted />}
        </section>
        <section class="card">
          <h2>Transitions <span class="faint">of the last {Math.round(view.overForMs / 1000)} s</span></h2>
          {view.edges.length === 0
            ? <Empty>None.</Empty>
            : (
              <table>
                <thead>
                  <tr><th scope="col" class="number">per second</th><th scope="col">event</th><th scope="col">from → to</th></tr>
                </thead>
                <tbody>
                  {view.edges.slice(0, 30).map(({ event, from, to, perSecond }) => (
                    <tr key={`${event} ${from} ${to}`}>
                      <td class="number">{perSecond.toFixed(1)}</td><td>{event}</td>
                      <td><code class="wrap">{leftState(from, to)} → {enteredState(from, to)}</code></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
        </section>
      </div>
    </>
  );
}
