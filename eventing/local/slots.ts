/** A bounded number of calls at once, in order of arrival; the rest waits in memory. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Creates room for `limit` calls at once. */
export function createSlots(limit: number): Slots {
  let free = limit;
  let waiting: Array<() => void> = [];
  let head = 0;

  return {
    async run(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        passOn();
      }
    },
  };

  /** Hands the slot to the one that has waited longest; the array is cut in lumps, since `shift` moves every element. */
  function passOn(): void {
    const next = waiting[head];
    if (!next) {
      free += 1;
      return;
    }
    head += 1;
    if (head > 1_000 && head * 2 > waiting.length) {
      waiting = waiting.slice(head);
      head = 0;
    }
    next();
  }
}
