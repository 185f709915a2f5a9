/**
 * A way to a Postgres that can be shut: whoever comes then finds nobody, as if the server had stopped. Some may still be
 * let in, by the name that they give: a service looks at its database once, before it starts.
 */
import { startRelay } from '../test/support/service/relay.ts';

export interface ServerDoor {
  readonly port: number;
  /** From now on only for connections of this `application_name`. */
  shutBut(applicationName: string): void;
  open(): void;
  close(): Promise<void>;
}

export async function openDoor(serverPort: number): Promise<ServerDoor> {
  let admitted: string | undefined;
  const relay = await startRelay({ host: '127.0.0.1', port: serverPort }, (client, upstream) => {
    upstream.pipe(client);
    client.on('data', (bytes) => {
      if (admitted === undefined || isAdmitted(bytes, admitted)) upstream.write(bytes);
      else client.destroy();
    });
  });
  return {
    port: relay.port,
    shutBut: (applicationName) => (admitted = applicationName),
    open: () => (admitted = undefined),
    close: () => relay.close(),
  };
}

/** Only the first message of a connection has names, but for the question whether TLS is spoken. */
function isAdmitted(bytes: Buffer, applicationName: string): boolean {
  const text = bytes.toString('latin1');
  return !text.includes('application_name\0') || text.includes(`application_name\0${applicationName}\0`);
}
