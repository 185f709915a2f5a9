/**
 * Tenure: for how long a service has the storage, or waits for it. A standby takes over, and all that it has opened goes on; a stack that
 * makes room for another instance gives back all that it has opened, and a standby begins anew.
 */
import type { Listen } from '../http/doorway.ts';
import { standbyName } from '../postgres/connection/sleep-port.ts';
import type { Storage } from '../storage/storage.ts';
import { Closing } from './closing.ts';
import type { Database } from './database.ts';
import type { Ground } from './ground.ts';
import { openDatabase } from './reached-database.ts';
import type { SideSockets } from './side-sockets.ts';
import { startStack } from './stack-stage.ts';
import type { Begun } from './stage.ts';
import { startStandby } from './standby-stage.ts';

/** What was reached at the start. */
interface Reached {
  /** Undefined where it is another instance's. */
  readonly storage: Storage | undefined;
  readonly database: Database;
}

/** What is opened for as long as a tenure lasts; it is closed with the service at the latest. */
export function tenureOf(closing: Closing): Closing {
  const tenure = new Closing();
  closing.addAll(tenure);
  return tenure;
}

/** The stack where the storage is ours, and otherwise a standby that waits for it. */
export async function firstStage(ground: Ground, sockets: SideSockets, tenure: Closing, reached: Reached): Promise<Begun> {
  const tenures = new Tenures(ground, sockets, reached.database);
  if (reached.storage !== undefined) return await tenures.lead(tenure, reached.storage, reached.database);
  await reached.database.adminPool.close();
  return await tenures.standBy(tenure, false);
}

class Tenures {
  constructor(
    private readonly ground: Ground,
    private readonly sockets: SideSockets,
    private readonly database: Database,
  ) {}

  lead(tenure: Closing, storage: Storage, database: Database, listen?: Listen): Promise<Begun> {
    const { sockets } = this;
    const behind = async (url: string): Promise<Begun> => {
      sockets.shown.source = undefined;
      sockets.shown.observerUrl = undefined;
      await tenure.all();
      return await this.standBy(tenureOf(this.ground.closing), true, url);
    };
    const ground = { ...this.ground, closing: tenure };
    return startStack({ ground, sockets, storage, database, behind, ...(listen === undefined ? {} : { listen }) });
  }

  /** @param url where a stage before has listened, and this one is to be found again. */
  async standBy(tenure: Closing, isLeft: boolean, url = ''): Promise<Begun> {
    const { sockets } = this;
    const ground = { ...this.ground, closing: tenure, configuration: listeningAgain(this.ground.configuration, url) };
    const database = await openDatabase(ground, this.database, standbyName); // Whoever works in the storage is to see that we wait.
    const takeOver = async (storage: Storage, listen: Listen): Promise<Begun> => {
      return await this.lead(tenure, storage, await openDatabase(ground, this.database), listen);
    };
    return await startStandby({ ground, sockets, database, isLeft, takeOver });
  }
}

/** Where the system had chosen the port, the same one. */
function listeningAgain(configuration: Ground['configuration'], url: string): Ground['configuration'] {
  return url === '' ? configuration : { ...configuration, port: Number(new URL(url).port) };
}
