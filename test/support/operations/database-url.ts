type Part = 'username' | 'password' | 'hostname' | 'port' | 'pathname' | 'search';

/** A database's URL, for another role, another host or with options. */
export function urlWith(url: string, changes: Partial<Pick<URL, Part>>): string {
  const changed = new URL(url);
  Object.assign(changed, changes);
  return changed.href;
}
