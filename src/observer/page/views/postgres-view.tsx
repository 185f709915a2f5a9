/** Postgres view: what we know of the database and it of us, and how much WAL it keeps for us. */
import type { ComponentChildren } from 'preact';
import type { LockHolder, PoolView, PostgresView } from '../../views/postgres.ts';
import { bytes, clock, counted, orDash } from '../format.ts';
import { useAnswer } from '../live.ts';
import { Shown } from '../parts/notes.tsx';
import { HeldBack } from '../parts/held-back.tsx';
import { Links } from '../parts/process-links.tsx';

const EVERY_MS = 1_000;

export function PostgresPage() {
  const seen = useAnswer<PostgresView>('/_observer/api/postgres', EVERY_MS);
  return (
    <>
      <h1>Postgres</h1>
      <Shown seen={seen}>{(view) => <Database view={view} />}</Shown>
    </>
  );
}

function Database({ view }: { readonly view: PostgresView }) {
  const { database, serverVersion, error, lsns, slot, publication, lock, pinnedBy } = view;
  return (
    <>
      <p>{database.user} @ {database.host}:{database.port} / {database.name}, version {orDash(serverVersion)}</p>
      {error !== null && <p class="note failed" role="alert">Postgres cannot be asked: {error}</p>}
      <ol class="way" aria-label="How far the stream has come">
        {LSNS.map(({ name, words }) => <li key={name}><b>{words}</b> <code>{orDash(lsns[name])}</code></li>)}
      </ol>
      <HeldBack by={pinnedBy} />
      <div class="cards">
        <Card title={`Slot ${slot.name}`}>
          <Fact name="active" value={slot.isActive === null ? '–' : slot.isActive ? 'yes' : 'no'} />
          <Fact name="kind" value={slot.isTemporary ? 'temporary' : 'permanent'} />
          <Fact name="WAL kept" value={bytes(slot.retainedBytes)} />
          <Fact name="may still keep" value={leftInWords(slot)} />
          <Fact name="status" value={orDash(slot.walStatus)} />
          <Fact name="restart" value={orDash(slot.restartLsn)} />
          <Fact name="confirmed" value={orDash(slot.confirmedLsn)} />
        </Card>
        <Card title="Lock">
          <Fact name="ours" value={lock.state} />
          <Fact name="holder" value={lock.holder === null ? '–' : holderInWords(lock.holder)} />
          <Fact name="from" value={orDash(lock.holder?.clientAddress)} />
          <Fact name="since" value={typeof lock.holder?.sinceMs === 'number' ? clock(lock.holder.sinceMs) : '–'} />
        </Card>
        {view.pools.map((pool) => <Pool key={pool.name} pool={pool} />)}
      </div>
      <Links title="Processes to Postgres" links={view.connections} />
      <section class="card">
        <h2>
          Publication {publication.name}{' '}
          <span class="faint">{publication.tableCount === null ? '' : counted(publication.tableCount, 'table')}</span>
        </h2>
        <ul class="plain tables">{(publication.tables ?? []).map((table) => <li key={table}><code>{table}</code></li>)}</ul>
      </section>
    </>
  );
}

const LSNS: readonly { readonly name: keyof PostgresView['lsns']; readonly words: string }[] = [
  { name: 'current', words: 'Postgres writes' },
  { name: 'received', words: 'received' },
  { name: 'durable', words: 'durable here' },
  { name: 'processed', words: 'in all shapes' },
  { name: 'acknowledged', words: 'acknowledged' },
];

/** Null is without a bound for a slot that holds, and unknown for one that is lost or that Postgres does not tell of. */
function leftInWords({ safeBytes, walStatus }: PostgresView['slot']): string {
  return safeBytes === null && walStatus !== null && walStatus !== 'lost' ? 'as much as it needs' : bytes(safeBytes);
}

function holderInWords({ applicationName, backendPid, isOurs }: LockHolder): string {
  return `${applicationName} (${backendPid})${isOurs ? ', this service' : ''}`;
}

function Card({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return <section class="card"><h2>{title}</h2><dl class="facts">{children}</dl></section>;
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return <div><dt>{name}</dt><dd>{value}</dd></div>;
}

function Pool({ pool: { name, isUp, open, idle, waiting, max } }: { readonly pool: PoolView }) {
  return (
    <Card title={`Pool ${name}`}>
      <Fact name="state" value={isUp ? 'up' : 'down'} />
      <Fact name="open" value={`${open} of ${max}`} />
      <Fact name="idle" value={String(idle)} />
      <Fact name="waiting" value={String(waiting)} />
    </Card>
  );
}
