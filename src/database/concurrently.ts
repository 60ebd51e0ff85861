/**
 * Many asynchronous calls, a few at a time.
 *
 * @module
 */

/**
 * Calls a function for every item, with at most `limit` calls at the same time. After a failure no
 * more calls are made, and those under way are awaited.
 *
 * @param items The items.
 * @param fn The function.
 * @param options `limit`: how many calls there are at the same time.
 * @returns The results, in the items' order.
 * @throws {unknown} What the first call that failed rejected with.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  fn: (item: T) => Promise<R>,
  options: { limit: number },
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const work = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await fn(items[index]);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: options.limit }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}
