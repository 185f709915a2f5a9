/** The way to the database of one instance alone: while it is cut, whoever tries it is sent away. */
import { startRelay } from '../service/relay.ts';

export interface Line {
  readonly url: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startLine(databaseUrl: string): Promise<Line> {
  const url = new URL(databaseUrl);
  let isCut = false;
  const relay = await startRelay({ host: url.hostname, port: Number(url.port) }, (client, upstream) => {
    if (isCut) client.destroy();
    else client.pipe(upstream).pipe(client);
  });
  url.port = String(relay.port);
  return {
    url: url.href,
    cut() {
      isCut = true;
      relay.breakConnections();
    },
    mend: () => void (isCut = false),
    close: () => relay.close(),
  };
}
