/** Addresses that stand for all of a machine, by one of them that a browser can go to. */
const OF_ALL: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' };

/** @param url as a service knows where it listens: `http://0.0.0.0:3000/path`. @returns the same place, for who sits at this machine. */
export function visitable(url: string): string {
  return url.replace(/^(https?:\/\/)(\[[^\]]*\]|[^/:]+)/, (_, scheme: string, host: string) => scheme + (OF_ALL[host] ?? host));
}
