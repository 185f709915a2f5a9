/** Explain view: why is this row (not) here? The service is asked as any client may ask it, with the secret where there is one. */
import { useEffect, useState } from 'preact/hooks';
import type { ErrorView } from '../../views/service.ts';
import type { ShapesView } from '../../views/shapes.ts';
import { getJson, RefusedError } from '../browser.ts';
import { errorOf, useAnswer } from '../live.ts';
import { addressOf, go, usePlace, type Place } from '../navigation.tsx';
import { Failed, Loading } from '../parts/notes.tsx';
import { Explanation } from '../parts/explanation.tsx';

const FIELDS = ['handle', 'table', 'where', 'by', 'row'];

export function ExplainPage() {
  const { query } = usePlace();
  const [secret, setSecret] = useState('');
  return (
    <>
      <h1>Why is this row (not) here?</h1>
      <Form key={query.toString()} query={query} secret={secret} setSecret={setSecret} />
      {query.get('row') !== null && <Answer query={query} secret={secret} />}
    </>
  );
}

interface FormProps {
  readonly query: Place['query'];
  readonly secret: string;
  readonly setSecret: (secret: string) => void;
}

function Form({ query, secret, setSecret }: FormProps) {
  const { view } = useAnswer<ShapesView>('/_observer/api/shapes?limit=200');
  const ask = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const given = FIELDS.map((name) => [name, data.get(name)]).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    setSecret(String(data.get('secret') ?? ''));
    go(addressOf('explain', Object.fromEntries(given)));
  };
  return (
    <form class="card form" onSubmit={ask}>
      <fieldset>
        <legend>Which shape</legend>
        <label>A shape that there is
          <select name="handle" defaultValue={query.get('handle') ?? ''}>
            <option value="">named by table and filter</option>
            {view?.rows.map(({ handle, table, where }) => (
              <option key={handle} value={handle} selected={handle === query.get('handle')}>
                {`${table} ${where === null ? '' : `where ${where}`} (${handle})`}
              </option>
            ))}
          </select>
        </label>
        <label>Table <input name="table" defaultValue={query.get('table') ?? ''} placeholder="issues" /></label>
        <label>Filter <input name="where" defaultValue={query.get('where') ?? ''} placeholder="status = 'open'" /></label>
      </fieldset>
      <fieldset>
        <legend>Which row</legend>
        <label>Given as
          <select name="by" defaultValue={query.get('by') ?? 'pk'}>
            <option value="pk">primary key, as JSON</option>
            <option value="key">key in the shape's log</option>
            <option value="row">the whole row, as JSON</option>
          </select>
        </label>
        <label>Row <textarea name="row" required rows={2} defaultValue={query.get('row') ?? ''} placeholder={'{"id":"7"}'} /></label>
      </fieldset>
      <label>Secret, where the service has one <input name="secret" type="password" autocomplete="off" defaultValue={secret} /></label>
      <button type="submit">Explain</button>
    </form>
  );
}

function addressOfQuestion(query: Place['query']): string {
  const asked = new URLSearchParams();
  for (const name of ['handle', 'table', 'where']) {
    const text = query.get(name);
    if (text !== null && text !== '' && (name === 'handle' || query.get('handle') === null)) asked.set(name, text);
  }
  asked.set(query.get('by') ?? 'pk', query.get('row') ?? '');
  return `/v1/shape/explain?${asked.toString()}`;
}

/** Asked when it is looked at, and again when somebody presses the button; what a shape is now is true for a moment only. */
function Answer({ query, secret }: { readonly query: Place['query']; readonly secret: string }) {
  const [told, setTold] = useState<{ readonly answer?: unknown; readonly error?: ErrorView }>();
  const address = addressOfQuestion(query);
  useEffect(() => {
    const ending = new AbortController();
    setTold(undefined);
    const headers = secret === '' ? undefined : { authorization: `Bearer ${secret}` };
    getJson<unknown>(address, { signal: ending.signal, ...(headers && { headers }) }).then(
      (answer) => setTold({ answer }),
      (error: unknown) => {
        if (ending.signal.aborted) return;
        // A shape that is gone, a row that is not there: these are answers too.
        const isVerdict = error instanceof RefusedError && typeof error.body === 'object' && error.body !== null && 'verdict' in error.body;
        setTold(isVerdict ? { answer: error.body } : { error: errorOf(error) });
      },
    );
    return () => ending.abort();
  }, [address, secret]);
  if (told === undefined) return <Loading />;
  return told.error === undefined ? <Explanation answer={told.answer} /> : <Failed error={told.error} />;
}
