/** App: the frame of all views. What the service is doing stands above, and whether what is shown is of now. */
import type { FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ServiceView } from '../views/service.ts';
import { count, counted } from './format.ts';
import { useConnection, useTopic } from './live.ts';
import { addressOf, Link, usePlace } from './navigation.tsx';
import { Empty } from './parts/notes.tsx';
import { DeathsPage } from './views/deaths-view.tsx';
import { ExplainPage } from './views/explain-view.tsx';
import { MessagesPage } from './views/messages-view.tsx';
import { PopulationPage, PopulationsPage } from './views/population-view.tsx';
import { PostgresPage } from './views/postgres-view.tsx';
import { ProcessPage } from './views/process-view.tsx';
import { ShapePage } from './views/shape-view.tsx';
import { ShapesPage } from './views/shapes-view.tsx';
import { TreePage } from './views/tree-view.tsx';

interface View {
  readonly title: string;
  readonly page: FunctionComponent;
  /** Under which entry of the menu it is found; its own where it is one. */
  readonly entry: string;
}

const VIEWS: Readonly<Record<string, View>> = {
  tree: { title: 'Tree', page: TreePage, entry: 'tree' },
  process: { title: 'Process', page: ProcessPage, entry: 'tree' },
  populations: { title: 'Populations', page: PopulationsPage, entry: 'populations' },
  population: { title: 'Population', page: PopulationPage, entry: 'populations' },
  messages: { title: 'Messages', page: MessagesPage, entry: 'messages' },
  shapes: { title: 'Shapes', page: ShapesPage, entry: 'shapes' },
  shape: { title: 'Shape', page: ShapePage, entry: 'shapes' },
  explain: { title: 'Explain', page: ExplainPage, entry: 'explain' },
  postgres: { title: 'Postgres', page: PostgresPage, entry: 'postgres' },
  deaths: { title: 'Deaths', page: DeathsPage, entry: 'deaths' },
};

export function App() {
  const { view: name, query } = usePlace();
  const view = VIEWS[name];
  const subject = query.get('pid') ?? query.get('kind') ?? query.get('handle') ?? '';
  useEffect(() => {
    document.title = `${view?.title ?? 'Not found'} ${subject} · Armature`;
  }, [name, subject]);
  return (
    <>
      <a class="skip" href="#main">To the content</a>
      <header>
        <nav aria-label="Views">
          <a href="/" class="brand">Armature</a>
          {Object.entries(VIEWS).filter(([own, { entry }]) => own === entry).map(([own, { title }]) => (
            <Link key={own} to={addressOf(own)} current={view?.entry === own}>{title}</Link>
          ))}
        </nav>
        <Status />
      </header>
      <main id="main" tabIndex={-1}>
        {view === undefined ? <Empty>There is no such view.</Empty> : <view.page key={`${name} ${subject}`} />}
      </main>
    </>
  );
}

const LEVELS = { starting: 'starting', waiting: 'waiting', active: 'active' };

function Status() {
  const connection = useConnection();
  const { view } = useTopic<ServiceView>('service');
  return (
    <p class="status" role="status">
      {connection === 'lost' && <strong class="lost">No connection: what is shown is old. Trying again …</strong>}
      {typeof connection === 'object' && <strong class="lost">{connection.message} <code>{connection.code}</code></strong>}
      {view !== undefined && (
        <>
          <span class={`level ${view.level}`} title={view.whyNotActive ?? ''}>{LEVELS[view.level]}</span>{' '}
          <span class="faint">
            {counted(view.processes, 'process', 'processes')}, {counted(view.shapes, 'shape')}, {count(view.deaths)} ended
            {view.recording.isOn ? ', recording' : ''}
          </span>
        </>
      )}
    </p>
  );
}
