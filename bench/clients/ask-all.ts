/** Many requests by a bounded number of clients, each of which asks again when it has its answer. */
import { RawConnection, type RawAnswer } from './raw-connection.ts';

const CLIENTS = 32;

/** @param heard is told each answer, with the number of its path. */
export async function askAll(url: string, paths: readonly string[], heard: (answer: RawAnswer, index: number) => void): Promise<void> {
  const left = paths.entries();
  const ask = async (): Promise<void> => {
    const connection = await RawConnection.open(url);
    for (const [index, path] of left) heard(await connection.get(path), index);
    connection.close();
  };
  await Promise.all(Array.from({ length: Math.min(CLIENTS, paths.length) }, ask));
}
