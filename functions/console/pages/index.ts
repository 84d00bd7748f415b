/**
 * The pages, as the console mounts them. What they are made of is loaded with the first page that somebody reads: a cold
 * start for a link in a message or for a health check does not wait for it.
 */
import { Hono } from 'hono';
import type { EventSource } from '../../../shared/events.ts';
import type { Logger } from '../../../shared/log.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import type { Publisher } from '../../../shared/publish.ts';
import type { Backtest } from '../backtest.ts';
import type { ConsoleEnv, SignIn } from '../sign-in.ts';
import type { SuggestionLine } from './suggestions.ts';

export interface PagesDeps {
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly source: EventSource;
  readonly signIn: SignIn;
  /** Zone of readers who chose none. */
  readonly zone: string;
  /** The console's variables, by name only. */
  readonly variables: ReadonlyArray<{ readonly name: string; readonly isSet: boolean }>;
  /** What a decision would have done to the last 30 days, in sentences; null where that cannot be asked. */
  readonly backTest:
    ((pattern: string, decision: { kind: string; until: Date | null }) => Promise<readonly string[]>) | null;
  /** Issues that are consistently noise. */
  readonly suggestions: () => Promise<
    ReadonlyArray<Omit<SuggestionLine, 'sentences'> & { backtest: Backtest }>
  >;
  readonly log: Logger;
}

/** Creates the pages. */
export function createPages(deps: PagesDeps): Hono<ConsoleEnv> {
  let routes: Promise<Hono<ConsoleEnv>> | undefined;
  return new Hono<ConsoleEnv>().all('*', async (c) => {
    routes ??= import('./routes.ts').then(({ createPageRoutes }) => createPageRoutes(deps));
    return (await routes).fetch(c.req.raw, c.env);
  });
}
