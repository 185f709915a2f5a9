/** ProcessLinks: other processes, each a way to its view while it lives. */
import type { ProcessLink } from '../../views/processes.ts';
import { addressOf, Link } from '../navigation.tsx';

/** So many of them a view has. */
const LINKS_MAX = 100;

export function ProcessName({ pid, children }: { readonly pid: string; readonly children?: string }) {
  return <Link to={addressOf('process', { pid })}>{children ?? pid}</Link>;
}

export function Linked({ link: { address, pid, kind, state } }: { readonly link: ProcessLink }) {
  if (pid === null) return <span class="gone">{address}</span>;
  return (
    <span>
      <ProcessName pid={pid}>{address}</ProcessName> <span class="faint">{kind} {state}</span>
    </span>
  );
}

export function Links({ title, links }: { readonly title: string; readonly links: readonly ProcessLink[] }) {
  if (links.length === 0) return null;
  return (
    <section class="card">
      <h2>{title} <span class="faint">{links.length < LINKS_MAX ? links.length : `the first ${LINKS_MAX}`}</span></h2>
      <ul class="plain">{links.map((link) => <li key={link.address}><Linked link={link} /></li>)}</ul>
    </section>
  );
}
