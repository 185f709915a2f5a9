/** Navigation: the address names what is shown, each step is one of the browser's history, and nothing is loaded anew. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const MOVED = 'armature:moved';

export interface Place {
  /** `/_observer/` and this. */
  readonly view: string;
  readonly query: URLSearchParams;
}

export function placeOf({ pathname, search }: { readonly pathname: string; readonly search: string }): Place {
  return { view: pathname.replace(/^\/_observer\/?/, '') || 'tree', query: new URLSearchParams(search) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location));
  useEffect(() => {
    const move = (): void => setPlace(placeOf(location));
    addEventListener('popstate', move);
    addEventListener(MOVED, move);
    return () => {
      removeEventListener('popstate', move);
      removeEventListener(MOVED, move);
    };
  }, []);
  return place;
}

/** @param query empty texts are left out. */
export function addressOf(view: string, query: Readonly<Record<string, string>> = {}): string {
  const given = Object.entries(query).filter(([, text]) => text !== '');
  return `/_observer/${view}${given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`}`;
}

export function go(address: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  dispatchEvent(new Event(MOVED));
}

interface LinkProps {
  readonly to: string;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly current?: boolean;
}

export function Link({ to, children, class: name, current = false }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
    document.querySelector('main')?.focus();
  };
  return <a href={to} class={name} aria-current={current ? 'page' : undefined} onClick={follow}>{children}</a>;
}
