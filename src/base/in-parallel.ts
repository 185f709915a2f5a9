/** Work on many things, some of them at once. */

/** Does it with each in turn, `atOnceMax` at the same time. @throws what fails first, as soon as it does. */
export async function inParallel<T>(items: Iterable<T>, atOnceMax: number, action: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const item of { [Symbol.iterator]: () => queue }) await action(item);
  };
  await Promise.all(Array.from({ length: atOnceMax }, work));
}

/** Does it with all of them, whatever becomes of each. @throws what failed first, at the end. */
export async function eachToItsEnd<T>(items: Iterable<T>, atOnceMax: number, action: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  await inParallel(items, atOnceMax, (item) => action(item).catch((error: unknown) => void failures.push(error)));
  if (failures.length > 0) throw failures[0];
}
