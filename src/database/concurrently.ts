/**
 * Many asynchronous calls, a few at a time.
 *
 * @module
 */

/**
 * Calls a function for every item, with at most `limit` calls at the same time. After a failure no
 * more calls are made, and those under way are awaited.
 *
 * @param items The items; each is taken when its turn comes.
 * @param fn The function.
 * @param options `limit`: how many calls there are at the same time.
 * @returns The results, in the items' order.
 * @throws {unknown} What the first call that failed rejected with.
 */
export async function mapConcurrently<T, R>(
  items: Iterable<T>,
  fn: (item: T) => Promise<R>,
  options: { limit: number },
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const iterator = items[Symbol.iterator]();
  let count = 0;
  const work = async () => {
    while (failures.length === 0) {
      try {
        const { done, value } = iterator.next();
        if (done) return;
        const index = count++;
        results[index] = await fn(value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: options.limit }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}
