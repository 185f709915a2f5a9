/**
 * Explanation: the verdict first, then what it rests on: the filter node by node, what each subquery knows, what the log told.
 *
 * The answer is that of `GET /v1/shape/explain` (docs/explain.md); what this page does not know of it stands below, as it came.
 */
import { JsonTree } from './json-tree.tsx';

interface Answer {
  readonly verdict?: { readonly code: string; readonly message: string };
  readonly filter?: { readonly root: FilterNode } | null;
  readonly subqueries?: readonly Subquery[];
  readonly log?: { readonly looked_from: string; readonly entries: readonly LogEntry[]; readonly entries_left_out: number } | null;
}

interface FilterNode {
  readonly text: string;
  readonly result: string;
  readonly value?: string | null;
  readonly asked: boolean;
  readonly parts?: readonly FilterNode[];
}

interface Subquery {
  readonly table: string;
  readonly left: string | null;
  readonly selected: boolean | null;
  readonly turned: { readonly offset: string; readonly txids: readonly number[] } | null;
  readonly remembered_from: string;
}

interface LogEntry {
  readonly offset: string;
  readonly message: unknown;
}

export function Explanation({ answer }: { readonly answer: unknown }) {
  const { verdict, filter, subqueries = [], log } = (answer ?? {}) as Answer;
  return (
    <div aria-live="polite">
      <section class="card verdict">
        <h2>{verdict?.message ?? 'The answer'} {verdict !== undefined && <code>{verdict.code}</code>}</h2>
      </section>
      {filter?.root !== undefined && (
        <section class="card"><h2>The filter, part by part</h2><ul class="json"><Node node={filter.root} /></ul></section>
      )}
      {subqueries.length > 0 && (
        <section class="card">
          <h2>What the subqueries select</h2>
          <ul class="plain">{subqueries.map((subquery, index) => <li key={index}>{wordsOf(subquery)}</li>)}</ul>
        </section>
      )}
      {log !== null && log !== undefined && (
        <section class="card">
          <h2>Its last entries in the log <span class="faint">looked through from {log.looked_from}</span></h2>
          {log.entries.length === 0 && <p class="faint">None.</p>}
          <ol class="steps">
            {log.entries.map(({ offset, message }) => (
              <li key={offset}><code>{offset}</code> <code class="wrap">{JSON.stringify(message)}</code></li>
            ))}
          </ol>
        </section>
      )}
      <details class="card"><summary>All of the answer</summary><JsonTree value={answer} /></details>
    </div>
  );
}

function Node({ node: { text, result, value, asked, parts = [] } }: { readonly node: FilterNode }) {
  return (
    <li class={asked ? undefined : 'faint'}>
      <b class={`result ${result}`}>{result === 'value' ? `= ${value ?? 'NULL'}` : result}</b> <code class="wrap">{text}</code>
      {!asked && ' (not asked)'}
      {parts.length > 0 && <ul class="json">{parts.map((part, index) => <Node key={index} node={part} />)}</ul>}
    </li>
  );
}

function wordsOf({ table, left, selected, turned, remembered_from: since }: Subquery): string {
  const standing = selected === null ? 'cannot be told of' : selected ? 'is among' : 'is not among';
  const came = turned === null
    ? `unchanged since ${since}`
    : `${selected === true ? 'came' : 'left'} at ${turned.offset} with transaction ${turned.txids.join(', ')}`;
  return `${left ?? 'NULL'} ${standing} what is selected from ${table}: ${came}.`;
}
