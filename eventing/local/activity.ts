/** Knows whether anything is under way, so that tests can wait for silence instead of a guess of seconds. */
export interface Activity {
  readonly count: number;
  /** Counts a piece of work until it is settled. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves when the count has come to zero and stays there for one turn of the event loop. */
  idle(): Promise<void>;
}

/** Creates a counter of work under way. */
export function createActivity(): Activity {
  let count = 0;
  let waiting: Array<() => void> = [];

  return {
    get count() {
      return count;
    },
    async track(work) {
      count += 1;
      try {
        return await work;
      } finally {
        count -= 1;
        if (count === 0) setImmediate(wake);
      }
    },
    idle() {
      return new Promise((resolve) => {
        waiting.push(resolve);
        setImmediate(wake);
      });
    },
  };

  function wake(): void {
    if (count > 0) return;
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  }
}
