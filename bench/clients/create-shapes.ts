/** Many clients that each ask for a shape of their own, a bounded number at a time, each on a connection that is kept. */
import { invariant } from '../../src/base/invariant.ts';
import { headerOf, RawConnection } from './raw-connection.ts';

const AT_ONCE = 32;

/**
 * Each is read to the end of its first answer.
 *
 * @param definitions what defines each of them.
 * @param isRight looks at the answer to each.
 * @returns their handles, in the same order.
 */
export async function createShapes(
  url: string,
  definitions: readonly Readonly<Record<string, string>>[],
  isRight: (body: string, index: number) => boolean = () => true,
): Promise<readonly string[]> {
  const handles: string[] = [];
  const left = definitions.entries();
  const ask = async (): Promise<void> => {
    const connection = await RawConnection.open(url);
    for (const [index, definition] of left) {
      const query = new URLSearchParams({ ...definition, offset: '-1' }).toString();
      const { status, head, body } = await connection.get(`/v1/shape?${query}`);
      const handle = headerOf(head, 'electric-handle');
      const text = body.toString();
      invariant(status === 200 && handle !== undefined && isRight(text, index), `a shape is made, with its rows: ${head}\n${text}`);
      handles[index] = handle;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return handles;
}
