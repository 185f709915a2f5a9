/** Notes: what a view says while it has nothing to show, each in its place and to screen readers too. */
import type { ComponentChildren } from 'preact';
import type { ErrorView } from '../../views/service.ts';
import type { Seen } from '../live.ts';

export function Loading() {
  return <p class="note" role="status">Asking the service …</p>;
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="note">{children}</p>;
}

export function Failed({ error }: { readonly error: ErrorView }) {
  return (
    <div class="note failed" role="alert">
      <strong>{TITLES[error.code] ?? 'This cannot be shown.'}</strong> <span>{error.message}</span> <code>{error.code}</code>
    </div>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  unreachable: 'The service cannot be reached.',
  unauthorized: 'The secret is missing.',
  unknown_process: 'There is no such process, or not any more.',
  unknown_shape: 'There is no such shape, or not any more.',
  unknown_kind: 'No process is of this kind.',
};

interface ShownProps<View> {
  readonly seen: Seen<View>;
  readonly children: (view: View) => ComponentChildren;
}

/** What was seen last stays when an error comes behind it; then both are shown. */
export function Shown<View>({ seen: { view, error }, children }: ShownProps<View>) {
  return (
    <>
      {error !== undefined && <Failed error={error} />}
      {view !== undefined ? children(view) : error === undefined && <Loading />}
    </>
  );
}
