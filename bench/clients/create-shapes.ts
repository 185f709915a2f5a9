/** Many clients that each ask for a shape of their own. */
import { invariant } from '../../src/base/invariant.ts';
import { askAll } from './ask-all.ts';
import { headerOf } from './raw-connection.ts';

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
  const paths = definitions.map((definition) => `/v1/shape?${new URLSearchParams({ ...definition, offset: '-1' }).toString()}`);
  await askAll(url, paths, ({ status, head, body }, index) => {
    const handle = headerOf(head, 'electric-handle');
    const text = body.toString();
    invariant(status === 200 && handle !== undefined && isRight(text, index), `a shape is made, with its rows: ${head}\n${text}`);
    handles[index] = handle;
  });
  return handles;
}
